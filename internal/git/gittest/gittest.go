// Package gittest makes repositories, commits and packs with the real git while a
// test runs. Everything it makes lies in the test's own temporary folder and is the
// same on every run: names, dates and configuration are fixed.
package gittest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/refward/refward/internal/git/oid"
)

// Repo is a repository with a worktree.
type Repo struct {
	Dir string // the worktree
	t   testing.TB
}

// Require skips the test where there is no git, with a sentence; where
// REFWARD_TEST_REQUIRE lists "git" it fails instead.
func Require(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("git"); err == nil {
		return
	}
	if slices.Contains(strings.Split(os.Getenv("REFWARD_TEST_REQUIRE"), ","), "git") {
		t.Fatal("git is required and not installed")
	}
	t.Skip("this machine has no git: install it (2.39 or newer) to run this test")
}

// Init makes an empty repository whose branch is master.
func Init(t testing.TB) *Repo {
	t.Helper()
	Require(t)
	r := &Repo{Dir: t.TempDir(), t: t}
	r.Git("init", "--quiet", "--initial-branch=master")
	return r
}

// At is the repository in a folder that something else made.
func At(t testing.TB, dir string) *Repo {
	t.Helper()
	Require(t)
	return &Repo{Dir: dir, t: t}
}

// Env is the environment that git runs in: no configuration but the repository's own,
// and fixed names and dates.
func Env() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.com", "GIT_AUTHOR_DATE=1700000000 +0100",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.com", "GIT_COMMITTER_DATE=1700000000 +0100",
	}
}

// Git runs git in the repository and returns what it printed, without space at the
// ends. The test fails when git does.
func (r *Repo) Git(args ...string) string {
	r.t.Helper()
	return strings.TrimSpace(string(r.Pipe(nil, args...)))
}

// Pipe runs git with this standard input and returns its standard output.
func (r *Repo) Pipe(stdin []byte, args ...string) []byte {
	r.t.Helper()
	out, stderr, err := r.run(stdin, args)
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return out
}

// Try runs git where it may fail, and returns standard output and error together.
func (r *Repo) Try(args ...string) (string, error) {
	r.t.Helper()
	out, stderr, err := r.run(nil, args)
	return string(out) + string(stderr), err
}

// TryPipe is Try with a standard input.
func (r *Repo) TryPipe(stdin []byte, args ...string) (string, error) {
	r.t.Helper()
	out, stderr, err := r.run(stdin, args)
	return string(out) + string(stderr), err
}

func (r *Repo) run(stdin []byte, args []string) (stdout, stderr []byte, err error) {
	cmd := exec.CommandContext(r.t.Context(), "git", args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = r.Dir, Env(), bytes.NewReader(stdin), &out, &errs
	err = cmd.Run()
	return out.Bytes(), errs.Bytes(), err
}

// Write puts a file into the worktree.
func (r *Repo) Write(path, content string) {
	r.t.Helper()
	full := filepath.Join(r.Dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// Commit writes one file and commits the whole worktree.
func (r *Repo) Commit(path, content string) oid.ID {
	r.t.Helper()
	r.Write(path, content)
	r.Git("add", "--all")
	r.Git("commit", "--quiet", "--allow-empty", "--message="+path)
	return r.ID("HEAD")
}

// ID resolves a revision.
func (r *Repo) ID(rev string) oid.ID {
	r.t.Helper()
	id, err := oid.Parse(r.Git("rev-parse", "--verify", rev))
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// Object stores an object that git itself would not make, unchecked.
func (r *Repo) Object(kind, content string) oid.ID {
	r.t.Helper()
	id, err := oid.Parse(strings.TrimSpace(string(r.Pipe([]byte(content), "hash-object", "-t", kind, "-w", "--literally", "--stdin"))))
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// Pack returns the pack that a push of these revisions would send to a repository
// that has those written with ^ in front: thin, with deltas.
func (r *Repo) Pack(revs ...string) []byte {
	r.t.Helper()
	return r.Pipe([]byte(strings.Join(revs, "\n")+"\n"), "pack-objects", "--revs", "--stdout", "--thin", "--quiet", "--delta-base-offset")
}

// PackObjects returns a pack of exactly these objects, without what they refer to.
func (r *Repo) PackObjects(ids ...oid.ID) []byte {
	r.t.Helper()
	var list strings.Builder
	for _, id := range ids {
		list.WriteString(id.String() + "\n")
	}
	return r.Pipe([]byte(list.String()), "pack-objects", "--stdout", "--quiet")
}
