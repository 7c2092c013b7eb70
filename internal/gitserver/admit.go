package gitserver

import (
	"context"
	"net"
	"net/netip"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/share"
)

// Admission gives a request, or a command over SSH, a place among those that are worked
// on. It returns the context for the work, which names who answers for the principal
// (package share), and what gives the place back. The error is a [*share.Busy], for the
// client to read.
type Admission func(ctx context.Context, p authz.Principal) (_ context.Context, release func(), _ error)

func (a Admission) admit(ctx context.Context, p authz.Principal) (context.Context, func(), error) {
	if a == nil {
		return ctx, func() {}, nil
	}
	return a(ctx, p)
}

// sourceOf is the holder of a connection whose client has not proven who it is.
func sourceOf(conn net.Conn) string {
	a, _ := netip.ParseAddrPort(conn.RemoteAddr().String()) // the zero address is one holder too
	return share.Source(a.Addr().Unmap())
}
