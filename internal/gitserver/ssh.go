package gitserver

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/internal/share"
)

// SSH serves Git over SSH, at ssh://KEYID@HOST:PORT/v1/repos/NAME: the user name is the
// ID of the SSH public key, as in CodeCommit. It runs git-upload-pack, git-receive-pack,
// git-lfs-authenticate and git-lfs-transfer, and nothing else: no shell, no terminal, no forwarding. Its fields
// are set once, before use.
type SSH struct {
	CodeCommit *codecommit.Service
	Repos      *repo.House
	Keys       authn.Source
	Authorizer *authz.Authorizer
	Log        *slog.Logger
	HostKeys   []ssh.Signer // see [HostKey]; at least one

	// Caller makes the caller of a command from who was proven to run it.
	Caller func(conn ssh.ConnMetadata, id authn.Identity) authz.Caller

	// Tickets are what clients of Git LFS go on with over HTTP, at HTTPURL, which clone
	// URLs begin with. Nil: there is no LFS here.
	Tickets *authn.Tickets
	HTTPURL string

	Limits Limits

	// Admit gives a command its place. Nil: there is one for everybody.
	Admit Admission

	// Strangers bounds the connections from one address whose client has not proven who it
	// is, and Users those of one user. Both say no at once. Nil: only Connections counts.
	Strangers, Users *share.Gate

	Connections int           // at once, the unauthenticated ones among them; default 256
	Handshake   time.Duration // the longest until a client has proven who it is; default 30 seconds
	Drain       time.Duration // what running commands get when the server ends; default 30 seconds

	service service // nil: the operations of the fields above
}

// The defaults of [SSH].
const (
	DefaultConnections = 256
	DefaultHandshake   = 30 * time.Second
	DefaultDrain       = 30 * time.Second
)

// maxSessions is how many commands run at once in one connection, as in OpenSSH.
const maxSessions = 10

// Serve answers connections until ctx ends. Then it closes the listener, gives running
// commands time to finish, and returns when all of them have. Its error is that of a
// listener which fails before ctx ends.
func (s *SSH) Serve(ctx context.Context, l net.Listener) error {
	// Commands outlive ctx by Drain.
	running, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	stopAccepting := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stopAccepting()

	var wg sync.WaitGroup
	defer wg.Wait()
	places := make(chan struct{}, cmp.Or(s.Connections, DefaultConnections))
	for {
		conn, err := accept(ctx, l)
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			stopKilling := time.AfterFunc(cmp.Or(s.Drain, DefaultDrain), kill)
			defer stopKilling.Stop()
			wg.Wait()
			return nil
		}
		if err != nil {
			kill()
			return fmt.Errorf("accept SSH connections: %w", err)
		}
		known, err := s.Strangers.Take(share.As(ctx, sourceOf(conn)))
		if err == nil {
			select {
			case places <- struct{}{}:
			default:
				err = errFull
				known()
			}
		}
		if err != nil { // the client sees a closed connection and may try again
			_ = conn.Close()
			continue
		}
		known = sync.OnceFunc(known)
		wg.Go(func() {
			defer func() { <-places }()
			defer known()
			s.connection(ctx, running, conn, known)
		})
	}
}

// errFull is why a connection is closed.
var errFull = errors.New("as many connections are open as may be")

// acceptAgain is how long there is no use in accepting connections when there are no
// more files to be opened.
const acceptAgain = 100 * time.Millisecond

// accept waits for a connection. That the host has too many files open, or a client left
// before its turn, is no reason to end.
func accept(ctx context.Context, l net.Listener) (net.Conn, error) {
	for {
		conn, err := l.Accept()
		if !errors.Is(err, syscall.EMFILE) && !errors.Is(err, syscall.ENFILE) && !errors.Is(err, syscall.ECONNABORTED) {
			return conn, err
		}
		pause := time.NewTimer(acceptAgain)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, ctx.Err()
		}
	}
}

// config makes the configuration of one connection.
func (s *SSH) config(ctx context.Context) *ssh.ServerConfig {
	c := &ssh.ServerConfig{
		ServerVersion:           "SSH-2.0-Refward",
		PublicKeyAuthAlgorithms: ssh.SupportedAlgorithms().PublicKeyAuths,
		PublicKeyCallback: func(conn ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if _, err := s.identify(ctx, conn.User(), key.Marshal()); err != nil {
				if !errors.Is(err, authn.ErrUnknown) {
					s.Log.ErrorContext(ctx, "look up an SSH key", slog.Any("error", err))
				}
				return nil, authn.ErrUnknown
			}
			// The key that is proven in the end is the one whose Permissions the
			// connection has, whatever others were tried.
			return &ssh.Permissions{Extensions: map[string]string{provenKey: string(key.Marshal())}}, nil
		},
	}
	for _, k := range s.HostKeys {
		c.AddHostKey(k)
	}
	return c
}

// provenKey names the extension with the proven key in its wire format.
const provenKey = "key@refward"

// identify returns who holds the active key with this ID, if it is this key.
func (s *SSH) identify(ctx context.Context, id string, key []byte) (authn.Identity, error) {
	known, err := s.Keys.SSHKey(ctx, id)
	if err != nil {
		return authn.Identity{}, err
	}
	if subtle.ConstantTimeCompare(known.PublicKey, key) != 1 {
		return authn.Identity{}, authn.ErrUnknown
	}
	return known.Identity, nil
}

// connection serves one connection. No new commands start once accepting has ended;
// those that run are cancelled when running ends. known is called once the client has
// proven who it is, and has a place among the connections of that user.
func (s *SSH) connection(accepting, running context.Context, raw net.Conn, known func()) {
	defer raw.Close()
	ctx, cancel := context.WithCancel(running)
	defer cancel()
	tooLong := time.AfterFunc(cmp.Or(s.Handshake, DefaultHandshake), func() { _ = raw.Close() })
	stopWaiting := context.AfterFunc(accepting, func() { _ = raw.Close() }) // not yet proven: not worth waiting for
	conn, channels, requests, err := ssh.NewServerConn(raw, s.config(ctx))
	defer tooLong.Stop()
	if err != nil || !stopWaiting() {
		return // clients that cannot prove who they are come by all day: nothing to log
	}
	stop := context.AfterFunc(running, func() { _ = conn.Close() })
	defer stop()

	c := &sshConnection{
		server: s, conn: conn, limits: s.Limits.withDefaults(),
		atEnd: func(f func()) func() bool { return context.AfterFunc(accepting, f) },
	}
	leave, err := c.admit(ctx)
	defer leave()
	if c.refused = err; err == nil {
		tooLong.Stop() // one that is refused is told so, and then counts as a stranger's
		known()
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { ssh.DiscardRequests(requests) }) // no forwarding
	c.idle = time.AfterFunc(c.limits.Stall, func() { _ = conn.Close() })
	defer c.idle.Stop()
	stopIdle := context.AfterFunc(accepting, c.closeIfIdle)
	defer stopIdle()
	for ch := range channels {
		if ch.ChannelType() != "session" {
			_ = ch.Reject(ssh.Prohibited, "only Git commands are served here")
			continue
		}
		if accepting.Err() != nil || !c.begin() {
			_ = ch.Reject(ssh.ResourceShortage, "too many commands, or the server is ending")
			continue
		}
		wg.Go(func() {
			defer c.end(accepting)
			c.session(ctx, ch)
		})
	}
	cancel() // the client is gone
}

// sshConnection is an authenticated connection.
type sshConnection struct {
	server *SSH
	conn   *ssh.ServerConn
	limits Limits

	refused error // why no command is run; nil: they are

	// atEnd calls a function when the server begins to end, unless what it returns is
	// called before.
	atEnd func(func()) (stop func() bool)

	idle *time.Timer // closes the connection; runs while there is no session

	mu       sync.Mutex // guards sessions
	sessions int
}

// admit takes a place among the connections of the user who has proven to hold the key.
func (c *sshConnection) admit(ctx context.Context) (leave func(), err error) {
	id, err := c.server.identify(ctx, c.conn.User(), c.key())
	if err == nil {
		leave, err = c.server.Users.Take(share.As(ctx, id.Principal.Owner()))
	}
	if err != nil {
		return func() {}, err
	}
	return leave, nil
}

// begin counts a session, and reports false where there are too many.
func (c *sshConnection) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions == maxSessions {
		return false
	}
	c.sessions++
	c.idle.Stop()
	return true
}

func (c *sshConnection) end(accepting context.Context) {
	c.mu.Lock()
	c.sessions--
	if c.sessions == 0 {
		c.idle.Reset(c.limits.Stall)
	}
	c.mu.Unlock()
	if accepting.Err() != nil {
		c.closeIfIdle()
	}
}

// closeIfIdle closes a connection without sessions, when the server ends.
func (c *sshConnection) closeIfIdle() {
	c.mu.Lock()
	idle := c.sessions == 0
	c.mu.Unlock()
	if idle {
		_ = c.conn.Close()
	}
}
