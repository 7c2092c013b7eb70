package server

import (
	"context"
	"net"
	"sync"

	"github.com/refward/refward/internal/share"
)

// metListener bounds the connections from one address over which nobody has proven yet
// who they are: each costs a file and some memory, and such a client costs nobody
// anything to make. One too many is closed. The addresses of trusted proxies, which stand
// for many, have no share to keep to.
type metListener struct {
	net.Listener
	gate   *share.Gate
	holder func(net.Addr) string
}

// Accept implements [net.Listener].
func (l *metListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		release, err := l.gate.Take(share.As(context.Background(), l.holder(conn.RemoteAddr())))
		if err != nil {
			_ = conn.Close()
			continue
		}
		return &metConn{Conn: conn, known: sync.OnceFunc(release)}, nil
	}
}

// metConn is a connection that counts until known is called, or it is closed.
type metConn struct {
	net.Conn
	known func()
}

// Close implements [net.Conn].
func (c *metConn) Close() error {
	c.known()
	return c.Conn.Close()
}

type metKey struct{}

// withMetConn remembers the connection of a request, below TLS.
func withMetConn(ctx context.Context, conn net.Conn) context.Context {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn()
	}
	return context.WithValue(ctx, metKey{}, conn)
}

// metConnOf returns the connection of a request, or nil.
func metConnOf(ctx context.Context) *metConn {
	c, _ := ctx.Value(metKey{}).(*metConn)
	return c
}

// strangerOf is the holder of a connection over HTTP.
func (s *Server) strangerOf(a net.Addr) string {
	addr := address(a.String())
	if s.trusts(addr) {
		return ""
	}
	return share.Source(addr)
}
