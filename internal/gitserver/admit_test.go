package gitserver

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/share"
)

// hers is a share of a number of places for requests.
func hers(g *share.Gate) Admission {
	return func(ctx context.Context, p authz.Principal) (context.Context, func(), error) {
		ctx = share.As(ctx, p.Owner())
		release, err := g.Take(ctx)
		return ctx, release, err
	}
}

// TestNoPlaceForARequest: who has no place gets 503 and when to try again, before the
// repository is asked for, and git shows why; a place is given back with its request.
func TestNoPlaceForARequest(t *testing.T) {
	d := newDoor(t, Limits{})
	g := share.New(share.Options{What: "requests", Places: 4})
	d.Config.Handler.(*Handler).Admit = hers(g)
	d.host.create("app")
	dir := d.work(t, "app")
	git(t, dir, "push", "--quiet", "origin", "HEAD:refs/heads/master")
	if s := g.Stats(); s.Held != 0 || s.OverOwn != 0 {
		t.Fatalf("%+v", s)
	}
	release, err := g.Take(share.As(t.Context(), aliceIdentity.Principal.Owner()))
	if err != nil {
		t.Fatal(err)
	}
	const why = "you have as many requests under way as one user may (1): let one of them end, and try again"
	for _, path := range []string{"app/info/refs?service=git-upload-pack", "nothing/info/refs?service=git-receive-pack"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.URL+root+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(alice, password)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") != "30" || string(text) != why+"\n" {
			t.Errorf("%s: %s, Retry-After %q, %q", path, res.Status, res.Header.Get("Retry-After"), text)
		}
	}
	if out, err := tryGit(t, dir, nil, "fetch", "origin"); err == nil || !strings.Contains(out, "remote: "+why) {
		t.Errorf("git fetch: %v\n%s", err, out)
	}
	release()
	git(t, dir, "fetch", "--quiet", "origin")
}

// TestNoPlaceForACommand: the same over SSH.
func TestNoPlaceForACommand(t *testing.T) {
	g := share.New(share.Options{What: "requests", Places: 4})
	d := newSSHDoor(t, Limits{}, func(s *SSH) { s.Admit = hers(g) })
	d.host.create("app")
	release, err := g.Take(share.As(t.Context(), aliceIdentity.Principal.Owner()))
	if err != nil {
		t.Fatal(err)
	}
	out, err := d.git(t, t.TempDir(), "ls-remote", d.url("app"))
	if err == nil || !strings.Contains(out, "remote error: you have as many requests under way as one user may (1)") {
		t.Errorf("%v\n%s", err, out)
	}
	release()
	if out, err := d.git(t, t.TempDir(), "ls-remote", d.url("app")); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, ask func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(20 * time.Second)
	for !ask() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("never: " + what)
		}
	}
}

// TestSSHConnectionsOfOneUser: one connection more than a user may have is told so by the
// first command, and counts as a stranger's until it is gone; another user is not
// concerned.
func TestSSHConnectionsOfOneUser(t *testing.T) {
	users := share.New(share.Options{What: "SSH connections", Places: 4})
	strangers := share.New(share.Options{What: "SSH connections", Places: 4, Share: 2})
	d := newSSHDoor(t, Limits{}, func(s *SSH) { s.Users, s.Strangers, s.Handshake = users, strangers, 10*time.Second })
	d.host.create("app")
	bob, bobs := aliceIdentity, newKey(t, filepath.Join(t.TempDir(), "bob"))
	bob.Principal.UserID = "AIDABOB"
	d.keys.sshKeys["APKABOB"] = authn.SSHKey{Identity: bob, PublicKey: bobs.PublicKey().Marshal()}

	ask := func(user string, key ssh.Signer) (c *ssh.Client, said string) {
		t.Helper()
		c, err := d.dial(user, key)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		out, _ := s.Output("git-upload-pack '/v1/repos/app'")
		return c, string(out)
	}
	first, said := ask(aliceKey, d.key)
	if strings.Contains(said, "ERR") {
		t.Errorf("the first: %q", said)
	}
	eventually(t, "the first is known", func() bool { return strangers.Stats().Held == 0 })
	second, said := ask(aliceKey, d.key)
	if !strings.Contains(said, "ERR you have as many SSH connections under way as one user may (1)") {
		t.Errorf("the second: %q", said)
	}
	if s := strangers.Stats(); s.Held != 1 {
		t.Errorf("%+v, want the second among the strangers", s)
	}
	if _, said := ask("APKABOB", bobs); strings.Contains(said, "ERR") {
		t.Errorf("bob: %q", said)
	}
	_, _ = first.Close(), second.Close()
	eventually(t, "alice has gone", func() bool { return users.Stats().Held == 1 && strangers.Stats().Held == 0 })
	if _, said := ask(aliceKey, d.key); strings.Contains(said, "ERR") {
		t.Errorf("the third: %q", said)
	}
}

// TestSSHStrangers: one address has a share of the connections whose client proves
// nothing, and those that have proven it do not count.
func TestSSHStrangers(t *testing.T) {
	strangers := share.New(share.Options{What: "SSH connections", Places: 8, Share: 2})
	d := newSSHDoor(t, Limits{}, func(s *SSH) { s.Strangers = strangers })
	for range 4 {
		c, err := d.dial(aliceKey, d.key)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		eventually(t, "she is known", func() bool { return strangers.Stats().Held == 0 })
	}
	silent := func() (net.Conn, error) {
		c, err := net.Dial("tcp", d.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_, err = io.ReadFull(c, make([]byte, 4))
		return c, err
	}
	a, err := silent()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := silent(); err != nil {
		t.Fatal(err)
	}
	if _, err := silent(); err == nil {
		t.Error("a third stranger was heard")
	}
	_ = a.Close()
	eventually(t, "a stranger has gone", func() bool { return strangers.Stats().Held == 1 })
	c, err := d.dial(aliceKey, d.key)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

// scarce is a listener that has no files for some time.
type scarce struct {
	net.Listener
	errs []error
}

// Accept returns the next error.
func (s *scarce) Accept() (net.Conn, error) {
	err := s.errs[0]
	s.errs = s.errs[1:]
	return nil, err
}

// TestAcceptGoesOn: a host that has too many files open does not end.
func TestAcceptGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		l := &scarce{errs: []error{syscall.EMFILE, &net.OpError{Op: "accept", Err: syscall.ENFILE}, syscall.ECONNABORTED, broken}}
		if _, err := accept(t.Context(), l); !errors.Is(err, broken) || len(l.errs) > 0 {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := accept(ctx, &scarce{errs: []error{syscall.EMFILE}}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
