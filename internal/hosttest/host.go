package hosttest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/person"
	"github.com/refward/refward/internal/secret"
	"github.com/refward/refward/internal/server"
)

// Region is where hosts of tests are.
const Region = "us-east-1"

// Host is a host that runs.
type Host struct {
	person.Place
	Account string
	Dir     string         // scratch: people's homes and checkouts
	Data    string         // the data directory
	Root    *person.Person // the account's root user, without a Git credential
	CA      string         // file of the certificate to trust; empty without TLS

	server *server.Server
	end    context.CancelFunc
	ended  chan error
}

// Start runs a host in the test's process until the test ends. The options change its
// configuration.
func Start(t testing.TB, opts ...func(*server.Config)) *Host {
	t.Helper()
	Need(t, "git")
	dir := t.TempDir()
	h := &Host{Dir: dir, Data: filepath.Join(dir, "data")}
	keyID, key := secret.NewID(secret.AccessKey), secret.NewAccessKeySecret()
	log := &testLog{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the end of the host's log:\n%s", log.end())
		}
	})
	cfg := server.Config{
		DataDir: h.Data, Listen: "127.0.0.1:0", SSHListen: "127.0.0.1:0", Region: Region,
		RootAccessKeyID: keyID, RootSecretAccessKey: key,
		Log: slog.New(slog.NewTextHandler(log, nil)),
	}
	for _, o := range opts {
		o(&cfg)
	}
	s, err := server.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	h.server, h.end, h.ended = s, end, make(chan error, 1)
	go func() { h.ended <- s.Run(ctx) }()
	t.Cleanup(func() { h.Stop(t) })
	h.URL, h.Region, h.Account = s.URL(), cfg.Region, s.Account()
	if cfg.TLSCert != "" {
		h.CA, h.Client = cfg.TLSCert, trusting(t, cfg.TLSCert)
	}
	h.Root = newRoot(t, h.Place, dir, keyID, key.Reveal())
	return h
}

func newRoot(t testing.TB, p person.Place, dir, keyID, key string) *person.Person {
	t.Helper()
	root, err := person.New(p, dir, "root", keyID, key)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// Stop ends the host, as SIGTERM does. It may be called again.
func (h *Host) Stop(t testing.TB) {
	t.Helper()
	if h.end == nil {
		return
	}
	h.end()
	h.end = nil
	if err := <-h.ended; err != nil {
		t.Errorf("the host ended with: %v", err)
	}
	if err := h.server.Close(); err != nil {
		t.Errorf("close the host: %v", err)
	}
}

// Endpoints are the addresses that the host wrote once it answered.
type Endpoints struct{ HTTP, SSH string }

// Endpoints returns where the host is.
func (h *Host) Endpoints(t testing.TB) (ends Endpoints) {
	t.Helper()
	Eventually(t, startTimeout, "the host writes where it is", func() bool {
		b, err := os.ReadFile(filepath.Join(h.Data, "endpoints.json"))
		return err == nil && json.Unmarshal(b, &ends) == nil
	})
	return ends
}

// Hire makes a user with an access key and a Git credential, in the groups given.
func (h *Host) Hire(t testing.TB, name string, groups ...string) *person.Person {
	t.Helper()
	p, err := h.Root.Hire(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if _, err := h.Root.IAM().AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{GroupName: &g, UserName: &name}); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// Group makes a group with one inline policy of the same name.
func (h *Host) Group(t testing.TB, name, document string) {
	t.Helper()
	if _, err := h.Root.IAM().CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: &name}); err != nil {
		t.Fatal(err)
	}
	h.GroupPolicy(t, name, document)
}

// GroupPolicy puts the group's inline policy.
func (h *Host) GroupPolicy(t testing.TB, name, document string) {
	t.Helper()
	_, err := h.Root.IAM().PutGroupPolicy(t.Context(), &iam.PutGroupPolicyInput{GroupName: &name, PolicyName: &name, PolicyDocument: &document})
	if err != nil {
		t.Fatal(err)
	}
}

// Repository makes a repository and returns its clone URL.
func (h *Host) Repository(t testing.TB, name string) string {
	t.Helper()
	out, err := h.Root.CodeCommit().CreateRepository(t.Context(), &codecommit.CreateRepositoryInput{RepositoryName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.RepositoryMetadata.CloneUrlHttp)
}

// Story makes the two groups of the story with their policies, its repository, and its
// two people.
func (h *Host) Story(t testing.TB) (junior, senior *person.Person, cloneURL string) {
	t.Helper()
	h.Group(t, demo.Juniors, demo.JuniorsPolicy(h.Place, h.Account))
	h.Group(t, demo.Approvers, demo.ApproversPolicy(h.Place, h.Account))
	cloneURL = h.Repository(t, demo.Repository)
	return h.Hire(t, demo.Junior, demo.Juniors), h.Hire(t, demo.Senior, demo.Approvers), cloneURL
}

// Clone clones into a new folder and returns it.
func (h *Host) Clone(t testing.TB, p *person.Person, cloneURL string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), p.Name)
	Git(t, p, h.Dir, "clone", "--quiet", cloneURL, dir)
	return dir
}

// Git runs git as somebody, and fails the test when git fails. It returns what git
// printed.
func Git(t testing.TB, p *person.Person, dir string, args ...string) string {
	t.Helper()
	r, err := p.Git(t.Context(), dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() {
		t.Fatalf("git %s: exit status %d\n%s", strings.Join(args, " "), r.Code, r.Output)
	}
	return r.Output
}

// GitFails runs git as somebody, and fails the test when git does not. It returns what
// git printed.
func GitFails(t testing.TB, p *person.Person, dir string, args ...string) string {
	t.Helper()
	r, err := p.Git(t.Context(), dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	if r.OK() {
		t.Fatalf("git %s worked, and should not have:\n%s", strings.Join(args, " "), r.Output)
	}
	return r.Output
}

// Commit writes a file and commits it.
func Commit(t testing.TB, p *person.Person, dir, name, content string) {
	t.Helper()
	if err := p.Commit(t.Context(), dir, name, content, fmt.Sprintf("Write %s", name)); err != nil {
		t.Fatal(err)
	}
}

// Refs asks the host for every ref of a repository and its object ID.
func Refs(t testing.TB, p *person.Person, cloneURL string) map[string]string {
	t.Helper()
	refs, err := p.Refs(t.Context(), cloneURL)
	if err != nil {
		t.Fatal(err)
	}
	return refs
}

// testLog keeps a host's log until the test has failed.
type testLog struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

const (
	maxTestLog   = 64 << 20 // what is kept: more than an hour of requests
	shownTestLog = 16 << 10 // what a test that failed shows of it
)

// Write implements [io.Writer].
func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b.Len() < maxTestLog {
		l.b.Write(p)
	}
	return len(p), nil
}

// end returns the last lines of what was logged: enough to see what went wrong.
func (l *testLog) end() string {
	text := l.String()
	if len(text) > shownTestLog {
		_, text, _ = strings.Cut(text[len(text)-shownTestLog:], "\n")
	}
	return text
}

// String returns what was logged.
func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
