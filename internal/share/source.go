package share

import "net/netip"

// Source is the holder that an address stands for before anybody has proven who they
// are. Of IPv6 it is the network of 64 bits that one customer usually has: another
// address in it costs nothing.
func Source(a netip.Addr) string {
	if !a.Is6() {
		return a.String()
	}
	p, _ := a.WithZone("").Prefix(64) // an IPv6 address has one
	return p.String()
}
