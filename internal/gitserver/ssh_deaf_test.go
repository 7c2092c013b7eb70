package gitserver

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// deafConn is a client's connection whose client, from some moment on, hears nothing any
// more: it answers no message of the server's, and it goes on talking.
type deafConn struct {
	net.Conn
	deaf atomic.Bool
	gone chan struct{} // closed when the server has closed the connection
	in   *io.PipeReader
}

func newDeafConn(t *testing.T, addr string) *deafConn {
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	in, heard := io.Pipe()
	c := &deafConn{Conn: raw, gone: make(chan struct{}), in: in}
	go func() {
		defer close(c.gone)
		b := make([]byte, 32<<10)
		for {
			n, err := raw.Read(b)
			if err != nil {
				_ = heard.CloseWithError(err)
				return
			}
			if !c.deaf.Load() {
				_, _ = heard.Write(b[:n])
			}
		}
	}()
	t.Cleanup(func() { _ = raw.Close(); <-c.gone })
	return c
}

// Read reads what the client hears.
func (c *deafConn) Read(p []byte) (int, error) { return c.in.Read(p) }

// TestSSHDeafClient: a client that never closes its channels, and one whose requests
// nobody has a use for any more, lose their connection. They would keep it, and the server
// from ending, for ever.
func TestSSHDeafClient(t *testing.T) {
	command := ssh.Marshal(struct{ Text string }{"git-receive-pack '/v1/repos/app'"})
	unknown := ssh.Marshal(struct{ Text string }{"ls"})
	for _, tc := range []struct {
		name string
		talk func(ch ssh.Channel)
	}{
		{"without a command", func(ssh.Channel) {}},
		{"in a push", func(ch ssh.Channel) { _, _ = ch.SendRequest("exec", false, command) }},
		{"after a refused command", func(ch ssh.Channel) { _, _ = ch.SendRequest("exec", false, unknown) }},
		{"asking on after a shell", func(ch ssh.Channel) {
			_, _ = ch.SendRequest("shell", false, nil)
			for range 100 {
				_, _ = ch.SendRequest("env", false, nil)
			}
		}},
		{"asking too often", func(ch ssh.Channel) {
			for range 100 + maxSessionRequests {
				_, _ = ch.SendRequest("env", false, nil)
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := newSSHDoor(t, Limits{Stall: 100 * time.Millisecond})
			d.host.create("app")
			raw := newDeafConn(t, d.addr)
			conn, channels, requests, err := ssh.NewClientConn(raw, d.addr, &ssh.ClientConfig{
				User: aliceKey, Auth: []ssh.AuthMethod{ssh.PublicKeys(d.key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
			})
			if err != nil {
				t.Fatal(err)
			}
			go ssh.NewClient(conn, channels, requests).Wait()
			ch, _, err := conn.OpenChannel("session", nil)
			if err != nil {
				t.Fatal(err)
			}
			raw.deaf.Store(true)
			tc.talk(ch)
			select {
			case <-raw.gone:
			case <-time.After(20 * time.Second):
				t.Error("the server still holds the connection")
			}
			// The cleanup of the door waits for the server to end.
		})
	}
}
