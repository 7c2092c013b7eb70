package gitserver

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/git/pktline"
)

// What is asked and answered is in package e2e, where there are objects. Here is what
// becomes of a connection.

// transferClient is a client of git-lfs-transfer.
type transferClient struct {
	t    *testing.T
	s    *ssh.Session
	in   io.WriteCloser
	out  *pktline.Reader
	told bytes.Buffer
}

const greeting = "version=1\nlocking\n"

// transfer begins git-lfs-transfer on a connection of its own.
func (d *sshDoor) transfer(t *testing.T, operation string) *transferClient {
	t.Helper()
	conn, err := d.dial(aliceKey, d.key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c := &transferClient{t: t}
	if c.s, err = conn.NewSession(); err != nil {
		t.Fatal(err)
	}
	c.s.Stderr = &c.told
	out, err := c.s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.in, err = c.s.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.s.Start("git-lfs-transfer /v1/repos/app " + operation); err != nil {
		t.Fatal(err)
	}
	c.out = pktline.NewReader(out)
	if got := c.hear(); got != greeting {
		t.Fatalf("greeted with %q", got)
	}
	return c
}

// hear reads packets up to a flush packet.
func (c *transferClient) hear() string {
	c.t.Helper()
	var b strings.Builder
	for {
		k, p, err := c.out.Next()
		switch {
		case err != nil:
			c.t.Fatalf("after %q: %v; told %q", b.String(), err, c.told.String())
		case k == pktline.Flush:
			return b.String()
		}
		b.Write(p)
	}
}

func (c *transferClient) send(lines ...string) {
	c.t.Helper()
	var b []byte
	for _, l := range lines {
		b = pktline.Append(b, l)
	}
	if _, err := c.in.Write(pktline.AppendFlush(b)); err != nil {
		c.t.Fatal(err)
	}
}

// ended waits for the server to end the command, and returns its exit status, -1 where it
// tells none.
func (c *transferClient) ended() int {
	c.t.Helper()
	done := make(chan error, 1)
	go func() {
		for {
			if _, _, err := c.out.Next(); err != nil {
				break
			}
		}
		done <- c.s.Wait()
	}()
	select {
	case err := <-done:
		if exit, ok := errors.AsType[*ssh.ExitError](err); ok {
			return exit.ExitStatus()
		}
		if err != nil {
			return -1
		}
		return 0
	case <-time.After(20 * time.Second):
		c.t.Fatal("the command goes on")
		return 0
	}
}

// The key counts on every request, not when the command began.
func TestLFSTransferProvesAnew(t *testing.T) {
	d := newSSHDoor(t, Limits{})
	d.host.create("app")
	c := d.transfer(t, "upload")
	c.send("version 1")
	c.hear()
	delete(d.keys.sshKeys, aliceKey)
	c.send("list-lock")
	if got := c.hear(); !strings.HasPrefix(got, "status 401\n") || !strings.Contains(got, "the credentials are wrong") {
		t.Errorf("with a key that was removed: %q", got)
	}
	c.send("quit")
	if got, status := c.hear(), c.ended(); got != "status 200\n" || status != 0 {
		t.Errorf("quit: %q, exit status %d", got, status)
	}
}

// Who has lost the key is told so, whatever is asked, and keeps no place by asking on.
func TestLFSTransferEndsWithTheKey(t *testing.T) {
	for name, asked := range map[string][]string{"a version": {"version 1"}, "no command": {"nothing"}, "no sense": {"batch", "a=1", "a=1"}} {
		d := newSSHDoor(t, Limits{})
		d.host.create("app")
		c := d.transfer(t, "upload")
		delete(d.keys.sshKeys, aliceKey)
		for range 2 {
			c.send(asked...)
			if got := c.hear(); !strings.HasPrefix(got, "status 401\n") || !strings.Contains(got, "the credentials are wrong") {
				t.Errorf("%s: %q", name, got)
			}
		}
		c.ended()
	}
}

// A connection in which it is not known where the next request begins is over, and the
// client is told why.
func TestLFSTransferLost(t *testing.T) {
	for name, tc := range map[string]struct{ in, told string }{
		"no packet":         {"batch", "invalid pkt-line"},
		"an end in between": {"000abatch\n", "ended too early"},
		"an end in an object": {string(pktline.Append(nil, "put-object "+strings.Repeat("a", 64))) + "0001" + "0005x",
			"ended too early"},
		"a flood": {string(bytes.Repeat(pktline.Append(nil, "a="+strings.Repeat("x", 60_000)), 1+lfs.MaxTransferSkip/60_000)) + "0000", "goes on"},
	} {
		d := newSSHDoor(t, Limits{})
		d.host.create("app")
		c := d.transfer(t, "upload")
		go func() { // the server may stop listening
			_, _ = io.WriteString(c.in, tc.in)
			_ = c.in.Close()
		}()
		if status := c.ended(); status != 1 || !strings.Contains(c.told.String(), tc.told) {
			t.Errorf("%s: exit status %d, told %q, want %q", name, status, c.told.String(), tc.told)
		}
		if d.stop(); d.log.Len() > 0 {
			t.Errorf("%s: logged as an error of the host: %s", name, d.log)
		}
	}
}

// A client that leaves between two requests is done.
func TestLFSTransferLeft(t *testing.T) {
	d := newSSHDoor(t, Limits{})
	d.host.create("app")
	c := d.transfer(t, "download")
	if err := c.in.Close(); err != nil {
		t.Fatal(err)
	}
	if status := c.ended(); status != 0 || c.told.Len() > 0 {
		t.Errorf("exit status %d, told %q", status, c.told.String())
	}
}

// A client that stops in the middle of a request is given up; one that waits between two,
// for what it does in other connections, is not.
func TestLFSTransferStalls(t *testing.T) {
	d := newSSHDoor(t, Limits{Stall: 300 * time.Millisecond})
	d.host.create("app")
	waiting, stalled := d.transfer(t, "upload"), d.transfer(t, "upload")
	for range 2 { // so much longer than a stall
		if _, err := io.WriteString(stalled.in, "000abat"); err != nil {
			t.Fatal(err)
		}
		if status := stalled.ended(); status == 0 {
			t.Error("a client that stalled is told that all is well")
		}
		stalled = d.transfer(t, "upload")
	}
	waiting.send("version 1")
	if got := waiting.hear(); got != "status 200\n" {
		t.Errorf("after a wait: %q", got)
	}
}

// A host that ends does not wait for clients that wait for themselves.
func TestLFSTransferAtTheEnd(t *testing.T) {
	d := newSSHDoor(t, Limits{})
	d.host.create("app")
	d.server.Drain = time.Hour
	c := d.transfer(t, "upload")
	c.send("version 1")
	c.hear()
	d.stop()
	c.ended() // and the cleanup of the door waits for Serve
}

// What one request may take is counted for each.
func TestLFSTransferTotal(t *testing.T) {
	d := newSSHDoor(t, Limits{Total: 300 * time.Millisecond})
	d.host.create("app")
	c := d.transfer(t, "upload")
	began := time.Now()
	for n := 0; time.Since(began) < 2*d.server.Limits.Total || n < 3; n++ {
		c.send("version 1")
		if got := c.hear(); got != "status 200\n" {
			t.Fatalf("after %v: %q", time.Since(began), got)
		}
	}
	if c.ended(); time.Since(began) < 3*d.server.Limits.Total {
		t.Error("the wait for a request was not as long as a request may take")
	}
}
