package gitserver

import (
	"context"
	"errors"
	"io"
	"regexp"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/authz"
)

// banner is what a person sees who opens a shell, in CodeCommit's words.
const banner = "You have successfully authenticated over SSH. You can use Git to interact with Refward. Interactive shells are not supported.\r\n"

// Limits of what a client may say in a session before its command.
const (
	maxSessionRequests = 32
	maxProtocolText    = 256
)

// session serves one channel: the client's requests up to its command, then the command.
func (c *sshConnection) session(ctx context.Context, offered ssh.NewChannel) {
	ch, requests, err := offered.Accept()
	if err != nil {
		return
	}
	over := make(chan struct{})
	defer close(over)
	hangUp := func() { c.hangUp(ch, over) }
	defer func() {
		hangUp()
		refuseAll(requests)
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	clock := time.AfterFunc(c.limits.Total, cancel)
	defer clock.Stop()
	stop := context.AfterFunc(ctx, hangUp) // a read that waits does not see the context
	defer stop()

	guard := newStallGuard(c.limits.Stall, hangUp)
	version := 0
	for range maxSessionRequests {
		var req *ssh.Request
		_, err := guard.watch(func() (int, error) {
			var ok bool
			if req, ok = <-requests; !ok {
				return 0, io.EOF
			}
			return 0, nil
		})
		if err != nil {
			return
		}
		switch req.Type {
		case "env":
			var kv struct{ Name, Value string }
			ok := ssh.Unmarshal(req.Payload, &kv) == nil && kv.Name == "GIT_PROTOCOL" && len(kv.Value) <= maxProtocolText
			if ok {
				version = protocolVersion(kv.Value)
			}
			reply(req, ok)
		case "exec":
			var command struct{ Text string }
			ok := ssh.Unmarshal(req.Payload, &command) == nil
			reply(req, ok)
			if ok {
				ended := c.rest(requests, cancel)
				exit(ch, c.run(ctx, sshChannel{ch, hangUp, clock}, command.Text, version))
				hangUp()
				<-ended
			}
			return
		case "shell":
			reply(req, true)
			_, _ = io.WriteString(ch, banner)
			exit(ch, 1)
			return
		default: // pty-req, subsystem, x11-req, auth-agent-req…
			reply(req, false)
		}
	}
}

// rest refuses what a client asks for while its command runs, and cancels the command
// when the channel closes.
func (c *sshConnection) rest(requests <-chan *ssh.Request, cancel context.CancelFunc) (ended <-chan struct{}) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer cancel()
		refuseAll(requests)
	}()
	return done
}

// refuseAll refuses what a client asks for until the channel closes. Somebody must take
// its requests as long as that: a few that nobody takes, and the whole connection stands
// still, beyond the reach of closing it.
func refuseAll(requests <-chan *ssh.Request) {
	for req := range requests {
		reply(req, false)
	}
}

// hangUp closes a channel from our side. Reads from it, and its requests, end only when
// the client has closed it as well; one who does not, until over is closed, loses the
// connection.
func (c *sshConnection) hangUp(ch ssh.Channel, over <-chan struct{}) {
	time.AfterFunc(c.limits.Stall, func() {
		select {
		case <-over:
		default:
			_ = c.conn.Close()
		}
	})
	_ = ch.Close()
}

func reply(req *ssh.Request, ok bool) {
	if req.WantReply {
		_ = req.Reply(ok, nil) // a client that is gone needs no answer
	}
}

// exit tells the client the command's exit status.
func exit(ch ssh.Channel, status uint32) {
	_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
}

// sshChannel is a channel on which a command runs.
type sshChannel struct {
	ssh.Channel
	hangUp func()
	clock  *time.Timer // ends the command; [Limits].Total, if nobody sets it again
}

// sshCommand is how git asks for a service: the quotes are git's, and names need no others.
var sshCommand = regexp.MustCompile(`^git[- ](upload-pack|receive-pack) (?:'([^']*)'|([^' ]*))$`)

// run runs a command and returns its exit status. The key is looked up again: it may
// have been deactivated since the connection began.
func (c *sshConnection) run(ctx context.Context, ch sshChannel, text string, version int) uint32 {
	in := newBody(guardedReader{ch, newStallGuard(c.limits.Stall, ch.hangUp)}, c.limits.PushBytes)
	sink := func(w io.Writer) *output {
		return &output{w: w, flush: func() error { return nil }, guard: newStallGuard(c.limits.Stall, ch.hangUp)}
	}
	x := &sshExchange{
		limits:  c.limits,
		service: c.server.operations(),
		prove:   c.prove,
		version: version,
		in:      in,
		out:     sink(ch),
		errs:    errorLog{c.server.Log},
	}
	err := func() error {
		lfs := lfsCommand.FindStringSubmatch(text)
		if lfs != nil {
			x.told = sink(ch.Stderr())
		}
		if c.refused != nil {
			return c.refused
		}
		var err error
		if x.caller, err = x.prove(ctx); err != nil {
			return err
		}
		ctx, leave, err := c.server.Admit.admit(ctx, x.caller.Principal)
		if err != nil {
			return err
		}
		defer leave()
		if lfs != nil {
			return x.lfs(ctx, c, ch, lfs)
		}
		m := sshCommand.FindStringSubmatch(text)
		if m == nil {
			return errHere
		}
		var ok bool
		if x.route, ok = parseRoute(m[2] + m[3] + "/git-" + m[1]); !ok {
			return errNoRoute
		}
		return x.serve(ctx)
	}()
	if err != nil {
		x.fail(ctx, err)
		return exitStatus(err)
	}
	return 0
}

// key is the key that the client has proven to hold, in its wire format.
func (c *sshConnection) key() []byte { return []byte(c.conn.Permissions.Extensions[provenKey]) }

// prove returns who has the key now, if anybody.
func (c *sshConnection) prove(ctx context.Context) (authz.Caller, error) {
	id, err := c.server.identify(ctx, c.conn.User(), c.key())
	if err != nil {
		return authz.Caller{}, err
	}
	return c.server.Caller(c.conn, id), nil
}

// exitStatus tells a command that does not exist, as shells do, from one that failed.
func exitStatus(err error) uint32 {
	if errors.Is(err, errNoCommand) {
		return 127
	}
	return 1
}

func (s *SSH) operations() service {
	if s.service != nil {
		return s.service
	}
	return operations{s.CodeCommit, s.Repos, s.Authorizer}
}

// sshExchange is one command on its way through the door.
type sshExchange struct {
	route
	limits  Limits
	service service
	caller  authz.Caller
	prove   func(context.Context) (authz.Caller, error) // who has the key by now
	version int
	in      *body
	out     *output
	told    *output // where errors are told in plain text; nil: in a packet to out
	errs    errorLog
}

func (x *sshExchange) serve(ctx context.Context) error {
	if x.endpoint == receivePack {
		snap, err := x.service.advertisePush(ctx, x.caller, x.repository)
		if err != nil {
			return err
		}
		if err := advertisePush(x.out, snap, x.version); err != nil {
			return err
		}
		c := &pushConversation{service: x.service, caller: x.caller, repository: x.repository, limits: x.limits, in: x.in, out: x.out}
		return c.serve(ctx)
	}
	snap, err := x.service.pull(ctx, x.caller, x.repository)
	if err != nil {
		return err
	}
	if x.version == 2 {
		return x.fetchV2(ctx, snap)
	}
	return x.fetchV0(ctx, snap)
}
