package conformance

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHTTP: what only that door has.
func TestHTTP(t *testing.T) {
	h := newHouse(t)
	lib := stock(t, h)
	d := &door{h, "http", 2}
	t.Run("credential cache heals", func(t *testing.T) { cacheHeals(t, d) })
	t.Run("credential in the URL", func(t *testing.T) {
		u, err := url.Parse(d.url("library"))
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(h.dev.GitUser, h.dev.GitPassword)
		d.git(t, h.Dir, "-c", "credential.helper=", "ls-remote", u.String())
		u.User = url.UserPassword(h.dev.GitUser, "wrong")
		d.refused(t, h.Dir, []string{"Authentication failed"}, "-c", "credential.helper=", "ls-remote", u.String())
	})
	t.Run("large request", func(t *testing.T) { lib.largeRequest(t, d) })
}

// largeRequest: a client with so many commits of its own compresses what it asks with.
func (l *library) largeRequest(t *testing.T, d *door) {
	dir := l.take(t, d)
	d.git(t, dir, "checkout", "--quiet", "--orphan", "mine")
	var b strings.Builder
	for i := range 600 {
		fmt.Fprintf(&b, "commit refs/heads/mine\ncommitter A <a@example.com> %d +0000\ndata 1\nx\nM 644 inline m\ndata 4\n%04d\n", firstCommit+i, i)
	}
	if err := os.WriteFile(filepath.Join(dir, "stream"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	d.git(t, dir, "-c", "alias.import=!git fast-import --quiet <stream", "import")
	d.git(t, dir, "update-ref", "-d", "refs/remotes/origin/side")
	d.git(t, dir, "fetch", "--quiet", "origin", "side:refs/remotes/origin/side")
	equal(t, "the branch", d.value(t, dir, "rev-parse", "origin/side"), d.value(t, l.source, "rev-parse", "side"))
}

// cacheHeals: a wrong password in git's store is forgotten after one refusal, and the one
// that worked is kept.
func cacheHeals(t *testing.T, d *door) {
	u, err := url.Parse(d.URL)
	if err != nil {
		t.Fatal(err)
	}
	store := filepath.Join(t.TempDir(), "store")
	write := func(password string) {
		u.User = url.UserPassword(d.dev.GitUser, password)
		if err := os.WriteFile(store, []byte(u.String()+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := func(url string) []string {
		return []string{"-c", "credential.helper=", "-c", "credential.helper=store --file " + store, "ls-remote", url}
	}
	write("wrong")
	d.refused(t, d.Dir, []string{"Authentication failed"}, args(d.url("library"))...)
	if b, err := os.ReadFile(store); err != nil || len(b) > 0 {
		t.Errorf("git kept the wrong password: %q, %v", b, err)
	}
	write(d.dev.GitPassword)
	d.git(t, d.Dir, args(d.url("library"))...)
	d.refused(t, d.Dir, []string{"not found"}, args(d.url("nobody"))...)
	if b, err := os.ReadFile(store); err != nil || len(b) == 0 {
		t.Errorf("git forgot the right password: %v", err)
	}
}
