package server

import (
	"net/http"
	"net/netip"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
)

// maxUserAgent bounds aws:UserAgent.
const maxUserAgent = 1 << 10

// caller joins what was proved about a caller with what the connection says.
func (s *Server) caller(r *http.Request, id authn.Identity) authz.Caller {
	return authz.Caller{
		Principal:  id.Principal,
		Credential: id.Credential,
		SourceIP:   s.source(r),
		UserAgent:  clip(r.UserAgent(), maxUserAgent),
		Secure:     s.secure(r),
		Region:     s.cfg.Region,
		RequestID:  recordOf(r.Context()).id,
	}
}

// sshCaller is caller for a command over SSH. Proxies are not known there.
func (s *Server) sshCaller(conn ssh.ConnMetadata, id authn.Identity) authz.Caller {
	return authz.Caller{
		Principal:  id.Principal,
		Credential: id.Credential,
		SourceIP:   address(conn.RemoteAddr().String()),
		UserAgent:  clip(string(conn.ClientVersion()), maxUserAgent),
		Secure:     true,
		Region:     s.cfg.Region,
		RequestID:  uuid.NewString(),
	}
}

// peer is the address at the other end of the connection.
func peer(r *http.Request) netip.Addr { return address(r.RemoteAddr) }

func address(hostPort string) netip.Addr {
	ap, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

func (s *Server) trusts(a netip.Addr) bool {
	for _, p := range s.cfg.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// source is the address that the request comes from. Each proxy appends the address it
// was called from to X-Forwarded-For, so it is read from the end, and as long as
// the one who says it is trusted: what stands before that, a client can make up.
func (s *Server) source(r *http.Request) netip.Addr {
	addr := peer(r)
	var hops []string
	for _, line := range r.Header.Values("X-Forwarded-For") {
		hops = append(hops, strings.Split(line, ",")...)
	}
	for len(hops) > 0 && s.trusts(addr) {
		said, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1]))
		if err != nil {
			return addr
		}
		addr, hops = said.Unmap().WithZone(""), hops[:len(hops)-1]
	}
	return addr
}

// secure reports whether the request came over TLS, to us or to a trusted proxy.
func (s *Server) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	said := r.Header.Values("X-Forwarded-Proto")
	return len(said) == 1 && strings.EqualFold(said[0], "https") && s.trusts(peer(r))
}
