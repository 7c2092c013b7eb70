package gitserver

import (
	"bytes"
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/refname"
)

const (
	alice    = "alice-at-123456789012"
	password = "cGFzc3dvcmQ/cGFzc3dvcmQ+cGFzc3dvcmQvcGFzc3c="
)

// keyring is the credentials of the tests.
type keyring struct{ sshKeys map[string]authn.SSHKey }

func (keyring) SigningKey(context.Context, string) (authn.SigningKey, error) {
	return authn.SigningKey{}, authn.ErrUnknown
}

func (keyring) SessionKey(context.Context, string, string) (authn.SigningKey, error) {
	return authn.SigningKey{}, authn.ErrUnknown
}

func (keyring) GitPassword(_ context.Context, user, given string) (authn.Identity, error) {
	if user != alice || given != password {
		return authn.Identity{}, authn.ErrUnknown
	}
	return aliceIdentity, nil
}

func (k keyring) SSHKey(_ context.Context, id string) (authn.SSHKey, error) {
	key, ok := k.sshKeys[id]
	if !ok {
		return authn.SSHKey{}, authn.ErrUnknown
	}
	return key, nil
}

var aliceIdentity = authn.Identity{
	Principal: authz.Principal{
		Kind: authz.User, Account: "123456789012", Name: "alice", UserID: "AIDAALICE",
		ARN: arn.ARN{Partition: "aws", Service: "iam", Account: "123456789012", Resource: "user/alice"},
	},
	Credential: authz.Credential{Kind: "service-specific", ID: "ACCAALICE"},
}

// door is a Handler that listens, with what stands behind it.
type door struct {
	*httptest.Server
	host *bareHost
	log  *bytes.Buffer
}

func newDoor(t testing.TB, limits Limits) *door {
	d := &door{host: newBareHost(t), log: &bytes.Buffer{}}
	h := &Handler{
		Verifier: &authn.Verifier{Source: keyring{}, Region: "us-east-1", Now: time.Now},
		Log:      slog.New(slog.NewTextHandler(d.log, nil)),
		Caller: func(_ *http.Request, id authn.Identity) authz.Caller {
			return authz.Caller{Principal: id.Principal, Credential: id.Credential, RequestID: "request-1"}
		},
		Limits:  limits,
		service: d.host,
	}
	d.Server = httptest.NewServer(h)
	t.Cleanup(d.Close)
	return d
}

// url is the clone URL of a repository with alice's credentials.
func (d *door) url(name string) string {
	u, _ := url.Parse(d.URL + root + name)
	u.User = url.UserPassword(alice, password)
	return u.String()
}

// work makes a working copy with one commit on master, and with the door as origin.
func (d *door) work(t testing.TB, name string) string {
	dir := t.TempDir()
	git(t, dir, "init", "--quiet", "--initial-branch=master")
	git(t, dir, "remote", "add", "origin", d.url(name))
	commit(t, dir, "README", "hello\n")
	return dir
}

// commit adds a commit that writes one file, and returns its ID.
func commit(t testing.TB, dir, file, text string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", file)
	git(t, dir, "commit", "--quiet", "-m", "write "+file)
	return strings.TrimSpace(git(t, dir, "rev-parse", "HEAD"))
}

// incompressible returns n bytes of text that a pack cannot make smaller by much.
func incompressible(n int) string {
	r := rand.NewChaCha8([32]byte{})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return string(b)
}

// versions runs a test with each version of the protocol.
func versions(t *testing.T, f func(t *testing.T, version string)) {
	for _, v := range []string{"0", "1", "2"} {
		t.Run("v"+v, func(t *testing.T) { f(t, "protocol.version="+v) })
	}
}

func TestCloneFetchPush(t *testing.T) {
	versions(t, func(t *testing.T, v string) {
		d := newDoor(t, Limits{})
		bare := d.host.create("app")
		dir := d.work(t, "app")
		git(t, dir, "tag", "-a", "-m", "one", "v1")
		out := git(t, dir, "-c", v, "push", "--progress", "origin", "master", "v1")
		if !strings.Contains(out, "remote: Validating objects: 100%") {
			t.Errorf("no progress from the server:\n%s", out)
		}
		first := strings.TrimSpace(git(t, bare, "rev-parse", "refs/heads/master"))

		clone := filepath.Join(t.TempDir(), "clone")
		git(t, t.TempDir(), "-c", v, "clone", "--quiet", d.url("app"), clone)
		if got := strings.TrimSpace(git(t, clone, "rev-parse", "HEAD")); got != first {
			t.Errorf("cloned %s, want %s", got, first)
		}
		if got := strings.TrimSpace(git(t, clone, "describe")); got != "v1" {
			t.Errorf("describe = %s: the tag did not come with the clone", got)
		}
		second := commit(t, dir, "a", "a\n")
		git(t, dir, "-c", v, "push", "--quiet", "origin", "master")
		git(t, clone, "-c", v, "pull", "--quiet", "--ff-only")
		if got := strings.TrimSpace(git(t, clone, "rev-parse", "HEAD")); got != second {
			t.Errorf("pulled %s, want %s", got, second)
		}
		git(t, clone, "fsck", "--strict")
		if d.log.Len() > 0 {
			t.Errorf("logged:\n%s", d.log)
		}
	})
}

func TestCloneEmptyRepository(t *testing.T) {
	versions(t, func(t *testing.T, v string) {
		d := newDoor(t, Limits{})
		d.host.create("empty")
		clone := filepath.Join(t.TempDir(), "clone")
		out := git(t, t.TempDir(), "-c", v, "-c", "init.defaultBranch=other", "clone", d.url("empty"), clone)
		if !strings.Contains(out, "cloned an empty repository") {
			t.Errorf("clone printed:\n%s", out)
		}
		if v != "protocol.version=2" {
			return
		}
		if got := strings.TrimSpace(git(t, clone, "symbolic-ref", "HEAD")); got != "refs/heads/master" {
			t.Errorf("HEAD = %s, want the server's unborn master", got)
		}
	})
}

func TestDeniedPush(t *testing.T) {
	d := newDoor(t, Limits{})
	bare := d.host.create("app")
	dir := d.work(t, "app")
	git(t, dir, "push", "--quiet", "origin", "master")
	before := git(t, bare, "rev-parse", "refs/heads/master")
	d.host.denied = func(_ authz.Caller, ref refname.Name) bool { return ref == "refs/heads/master" }
	// More than git sends in one piece, so that it probes and then sends chunks.
	commit(t, dir, "big", incompressible(3<<20))
	git(t, dir, "branch", "topic")

	out, err := tryGit(t, dir, nil, "push", "origin", "master", "topic")
	if err == nil {
		t.Error("push succeeded")
	}
	for _, want := range []string{
		"remote: Policy DenyMaster, statement 1", "remote: Push a branch, open a pull request",
		"! [remote rejected] master -> master (denied by policy DenyMaster)", "* [new branch]      topic -> topic",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("push did not print %q:\n%s", want, out)
		}
	}
	if got := git(t, bare, "rev-parse", "refs/heads/master"); got != before {
		t.Errorf("master moved to %s", got)
	}

	git(t, dir, "push", "--quiet", "origin", ":topic")
	out, err = tryGit(t, dir, nil, "push", "--atomic", "origin", "master", "topic")
	if err == nil || !strings.Contains(out, "atomic push failed") || !strings.Contains(out, "denied by policy") {
		t.Errorf("atomic push: %v\n%s", err, out)
	}
	if got := git(t, bare, "for-each-ref", "refs/heads/topic"); got != "" {
		t.Errorf("topic exists after a refused atomic push: %s", got)
	}
	if out, err = tryGit(t, dir, nil, "push", "origin", "master"); err == nil || strings.Contains(out, "Everything up-to-date") {
		t.Errorf("push of the denied ref alone: %v\n%s", err, out)
	}
}
