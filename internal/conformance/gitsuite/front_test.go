package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refward/refward/internal/hosttest"
)

// TestFront does what Git's tests do: repositories are made in the document root, served
// by the host, and changed from both sides.
func TestFront(t *testing.T) {
	h := hosttest.Start(t)
	h.Group(t, "All", everything)
	dev := h.Hire(t, "dev", "All")
	root := t.TempDir()
	www := filepath.Join(root, "www")
	f := newFront(root, &host{url: h.URL, user: dev}, io.Discard)
	server := httptest.NewServer(f)
	defer server.Close()
	git := func(dir string, args ...string) string {
		t.Helper()
		return strings.TrimSpace(hosttest.Git(t, dev, dir, append([]string{"-c", "credential.helper="}, args...)...))
	}
	same := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}

	bare := filepath.Join(www, "repo.git")
	git(root, "init", "--quiet", "--bare", "--initial-branch=main", bare)
	work := filepath.Join(root, "work")
	git(root, "clone", "--quiet", server.URL+"/smart/repo", work) // .git is found by itself
	hosttest.Commit(t, dev, work, "f", "1")
	git(work, "push", "--quiet", "origin", "HEAD:main", "HEAD:other")
	same("a push arrives in the folder", git(bare, "rev-parse", "main", "other"), git(work, "rev-parse", "HEAD", "HEAD"))
	git(bare, "tag", "v1", "main")
	git(bare, "branch", "-D", "other")
	git(bare, "symbolic-ref", "HEAD", "refs/heads/new")
	git(bare, "branch", "new", "main")
	id := git(work, "rev-parse", "HEAD")
	same("what was done in the folder is served", git(work, "ls-remote", "--symref", "origin"),
		"ref: refs/heads/new\tHEAD\n"+id+"\tHEAD\n"+id+"\trefs/heads/main\n"+id+"\trefs/heads/new\n"+id+"\trefs/tags/v1")

	if err := os.Rename(bare, filepath.Join(www, "moved")); err != nil {
		t.Fatal(err)
	}
	git(root, "init", "--quiet", "--bare", bare)
	same("a new folder is a new repository", git(root, "ls-remote", server.URL+"/smart/repo.git"), "")
	same("the old one went along", git(root, "ls-remote", server.URL+"/smart/moved", "main"), id+"\trefs/heads/main")
	hosttest.GitFails(t, dev, root, "ls-remote", server.URL+"/smart/nobody")

	// Where a password is asked for, the host asks.
	u, _ := url.Parse(server.URL + "/auth/smart/moved")
	hosttest.GitFails(t, dev, root, "-c", "credential.helper=", "ls-remote", u.String())
	u.User = url.UserPassword(testUser, testPassword)
	git(root, "ls-remote", u.String())
	u.User = url.UserPassword(testUser, "wrong")
	hosttest.GitFails(t, dev, root, "-c", "credential.helper=", "ls-remote", u.String())

	// A test's Perl changes one answer.
	perl := filepath.Join(root, "one-time-perl")
	if err := os.WriteFile(perl, []byte("s/v1/v9/"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"refs/tags/v9", "refs/tags/v1"} {
		same("the tag", git(root, "ls-remote", server.URL+"/one_time_perl/moved", "refs/tags/*"), id+"\t"+want)
	}
	if _, err := os.Stat(perl); err == nil {
		t.Error("the Perl is there still")
	}

	log, err := os.ReadFile(filepath.Join(root, accessLog))
	if want := `"GET /smart/repo/info/refs?service=git-upload-pack HTTP/1.1" 200 `; err != nil || !strings.Contains(string(log), want) {
		t.Errorf("%v, and in the access log there is no %s", err, want)
	}
}

func TestParseRoute(t *testing.T) {
	for target, want := range map[string]route{
		"/smart/a.git/info/refs?service=git-upload-pack":                 {repository: "a.git", endpoint: "info/refs"},
		"/smart/a/b/git-upload-pack":                                     {repository: "a/b", endpoint: "git-upload-pack"},
		"/auth/smart/a/git-upload-pack":                                  {repository: "a", endpoint: "git-upload-pack", asks: true},
		"/auth-push/smart/a/info/refs?service=git-receive-pack":          {repository: "a", endpoint: "info/refs"},
		"/auth-push/smart/a/git-receive-pack":                            {repository: "a", endpoint: "git-receive-pack", asks: true},
		"/auth-fetch/smart/a/git-upload-pack":                            {repository: "a", endpoint: "git-upload-pack", asks: true},
		"/half-auth-complete/smart/a/info/refs?service=git-receive-pack": {repository: "a", endpoint: "info/refs", asks: true},
		"/half-auth-complete/smart/a/info/refs?service=git-upload-pack":  {repository: "a", endpoint: "info/refs"},
		"/smart_v0/a/info/refs":                                          {repository: "a", endpoint: "info/refs", version0: true},
		"/smart_headers/a/info/refs":                                     {repository: "a", endpoint: "info/refs", spell: true},
		"/smart-redir-perm/a/info/refs?x=y":                              {redirect: "/smart/a/info/refs?x=y", status: http.StatusMovedPermanently},
		"/smart-redir-limited/a/info/refs":                               {redirect: "/smart/a/info/refs", status: http.StatusMovedPermanently},
		"/ftp-redir/a/info/refs":                                         {redirect: "ftp://localhost:1000/a/info/refs", status: http.StatusFound},
	} {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, target, nil)
		if got, ok := parseRoute(r); !ok || got != want {
			t.Errorf("%s: %+v, %v", target, got, ok)
		}
	}
	for _, target := range []string{"/smart/a/HEAD", "/bundle", "/smart-redir-limited/a/git-upload-pack", "/"} {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, target, nil)
		if got, ok := parseRoute(r); ok {
			t.Errorf("%s is no file: %+v", target, got)
		}
	}
}

func TestParse(t *testing.T) {
	c, err := parse([]string{"-d", "/root", "-f", "/apache.conf", "-DHTTP2", "-c", "Listen 127.0.0.1:5541", "-k", "start"})
	if want := (command{do: "start", root: "/root", listen: "127.0.0.1:5541"}); err != nil || c != want {
		t.Errorf("%+v, %v", c, err)
	}
	for _, bad := range [][]string{{"-k", "start"}, {"-d"}, {"-x"}, {"-d", "/root", "-DSSL"}} {
		if c, err := parse(bad); err == nil {
			t.Errorf("%q was taken: %+v", bad, c)
		}
	}
}
