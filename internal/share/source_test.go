package share_test

import (
	"net/netip"
	"testing"

	"github.com/refward/refward/internal/share"
)

func TestSource(t *testing.T) {
	for given, want := range map[string]string{
		"192.0.2.7":          "192.0.2.7",
		"2001:db8:1:2:3::4":  "2001:db8:1:2::/64",
		"2001:db8:1:2::9":    "2001:db8:1:2::/64",
		"fe80::1%eth0":       "fe80::/64",
		"::ffff:192.0.2.128": "::/64", // who has such an address unmaps it
	} {
		if got := share.Source(netip.MustParseAddr(given)); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
	if got := share.Source(netip.Addr{}); got == "" {
		t.Error("no address is the host itself")
	}
}
