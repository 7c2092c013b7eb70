package gitserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// git runs git in a folder, with an environment of its own, and fails the test when it
// fails.
func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := tryGit(t, dir, nil, args...)
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// tryGit runs git and returns what it printed to both outputs.
func tryGit(t testing.TB, dir string, stdin io.Reader, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Stdin = stdin
	cmd.Env = gitEnv()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

func gitEnv(more ...string) []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_TERMINAL_PROMPT=0", "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A",
		"GIT_COMMITTER_EMAIL=a@example.com", "GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=core.fsync", "GIT_CONFIG_VALUE_0=none", // tests outlive no crash
	}, more...)
}

var (
	errNoRepository = fault.Code{Name: "RepositoryDoesNotExistException", Kind: fault.NotFound}
	errBadName      = fault.Code{Name: "InvalidRepositoryNameException", Kind: fault.Invalid}
)

// bareHost is the operations over bare repositories that git made: what the door needs
// of the house, small enough to see that the door is right.
type bareHost struct {
	t   testing.TB
	dir string // NAME.git below it

	mu        sync.Mutex
	denied    func(c authz.Caller, ref refname.Name) bool // nil: nobody
	forbidden map[string]bool                             // repositories that callers may not see
	failure   error                                       // what every operation answers
	pushed    []codecommit.GitPushInput                   // without Pack
	fetches   int
	afterPack func() // runs when a push's pack was read
}

func newBareHost(t testing.TB) *bareHost {
	return &bareHost{t: t, dir: t.TempDir(), forbidden: map[string]bool{}}
}

// create makes an empty repository whose default branch is to be master.
func (h *bareHost) create(name string) string {
	dir := filepath.Join(h.dir, name+".git")
	git(h.t, h.dir, "init", "--quiet", "--bare", "--initial-branch=master", dir)
	for _, kv := range []string{"uploadpack.allowAnySHA1InWant", "uploadpack.allowFilter"} {
		git(h.t, dir, "config", kv, "true")
	}
	return dir
}

func (h *bareHost) open(c authz.Caller, name, action string) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failure != nil {
		return "", h.failure
	}
	if strings.HasSuffix(name, ".git") || strings.ContainsAny(name, " \n") {
		return "", errBadName.New("bad name")
	}
	if h.forbidden[name] {
		d := &authz.Denial{Caller: c, Check: authz.Check{
			Action:   action,
			Resource: arn.ARN{Partition: "aws", Service: "codecommit", Region: "us-east-1", Account: "123456789012", Resource: name},
			Way:      "Ask an administrator of the account",
		}}
		return "", d.Fault()
	}
	dir := filepath.Join(h.dir, name+".git")
	if _, err := os.Stat(dir); err != nil {
		return "", errNoRepository.New("no %s", name)
	}
	return dir, nil
}

func (h *bareHost) snapshot(dir string) *repo.Snapshot {
	snap := &repo.Snapshot{ID: repo.ID(dir), Head: refname.Name(strings.TrimSpace(git(h.t, dir, "symbolic-ref", "HEAD")))}
	var refs []repo.Ref
	for line := range strings.Lines(git(h.t, dir, "for-each-ref", "--format=%(refname) %(objectname) %(*objectname)")) {
		f := strings.Fields(line)
		r := repo.Ref{Name: refname.Name(f[0])}
		r.OID, _ = oid.Parse(f[1])
		if len(f) > 2 {
			r.Peeled, _ = oid.Parse(f[2])
		}
		refs = append(refs, r)
	}
	slices.SortFunc(refs, func(a, b repo.Ref) int { return strings.Compare(string(a.Name), string(b.Name)) })
	snap.Refs = repo.NewRefs(refs)
	return snap
}

func (h *bareHost) pull(_ context.Context, c authz.Caller, name string) (*repo.Snapshot, error) {
	dir, err := h.open(c, name, "codecommit:GitPull")
	if err != nil {
		return nil, err
	}
	return h.snapshot(dir), nil
}

func (h *bareHost) advertisePush(_ context.Context, c authz.Caller, name string) (*repo.Snapshot, error) {
	dir, err := h.open(c, name, "codecommit:GitPush")
	if err != nil {
		return nil, err
	}
	return h.snapshot(dir), nil
}

func (h *bareHost) push(ctx context.Context, c authz.Caller, in *codecommit.GitPushInput) (*codecommit.GitPushOutput, error) {
	dir, err := h.open(c, in.RepositoryName, "codecommit:GitPush")
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	kept := *in
	kept.Pack, kept.Progress = nil, nil
	h.pushed = append(h.pushed, kept)
	denied, after := h.denied, h.afterPack
	h.mu.Unlock()

	out := &codecommit.GitPushOutput{Unpack: "ok"}
	refused := 0
	for _, cmd := range in.Commands {
		res := codecommit.RefResult{Ref: cmd.Ref}
		if denied != nil && denied(c, cmd.Ref) {
			refused++
			res.Reason = "denied by policy DenyMaster"
			res.Remote = []string{"Policy DenyMaster, statement 1", "Push a branch, open a pull request"}
		}
		out.Results = append(out.Results, res)
	}
	if refused == len(in.Commands) || refused > 0 && in.Atomic {
		for i := range out.Results {
			if out.Results[i].Reason == "" {
				out.Results[i].Reason = "atomic push failed"
			}
		}
		return out, nil
	}
	if in.Pack != nil {
		if text, err := tryGit(h.t, dir, in.Pack, "index-pack", "--stdin", "--fix-thin"); err != nil {
			out.Unpack = "index-pack: " + text
			for i := range out.Results {
				out.Results[i].Reason = "unpacker error"
			}
			return out, nil
		}
		if in.Progress != nil {
			_, _ = io.WriteString(in.Progress, "Validating objects: 100%\n")
		}
	}
	if after != nil {
		after()
	}
	return out, h.update(ctx, dir, in, out)
}

func (h *bareHost) update(_ context.Context, dir string, in *codecommit.GitPushInput, out *codecommit.GitPushOutput) error {
	for i, cmd := range in.Commands {
		if out.Results[i].Reason != "" {
			continue
		}
		line := fmt.Sprintf("update %s %s %s\n", cmd.Ref, cmd.New, cmd.Old)
		if text, err := tryGit(h.t, dir, strings.NewReader(line), "update-ref", "--stdin"); err != nil {
			out.Results[i].Reason = "stale: " + text
		}
	}
	return nil
}

func (h *bareHost) uploadPack(ctx context.Context, snap *repo.Snapshot, version int, in io.Reader, out io.Writer) error {
	h.mu.Lock()
	h.fetches++
	h.mu.Unlock()
	cmd := exec.CommandContext(ctx, "git", "upload-pack", "--stateless-rpc", string(snap.ID))
	cmd.Env = gitEnv(fmt.Sprintf("GIT_PROTOCOL=version=%d", version))
	cmd.Stdin, cmd.Stdout = in, out
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("upload-pack: %w: %s", err, stderr.String())
	}
	return nil
}

func (h *bareHost) objects(_ context.Context, snap *repo.Snapshot) (objects, error) {
	return bareObjects{h, string(snap.ID)}, nil
}

type bareObjects struct {
	h   *bareHost
	dir string
}

func (o bareObjects) Info(_ context.Context, id oid.ID) (object.Type, int64, error) {
	out, err := tryGit(o.h.t, o.dir, nil, "cat-file", "-s", id.String())
	if err != nil {
		return 0, 0, errors.Join(repo.ErrObjectNotFound, err)
	}
	size, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	return object.Commit, size, err
}

func (o bareObjects) Close() error { return nil }
