package gitcmd_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/gittest"
)

func open(t *testing.T, o gitcmd.Options) *gitcmd.Git {
	t.Helper()
	gittest.Require(t)
	g, err := gitcmd.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// script is a stand-in for git: it answers for its version, and runs body otherwise.
func script(t *testing.T, version, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "git")
	text := "#!/bin/sh\nif [ \"$1\" = version ]; then echo '" + version + "'; exit; fi\n" + body + "\n"
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenChecksTheVersion(t *testing.T) {
	for version, want := range map[string]struct {
		version gitcmd.Version
		tooOld  bool
	}{
		"git version 2.39.5":                               {version: gitcmd.Version{Major: 2, Minor: 39}},
		"git version 2.50.1 (Apple Git-155)":               {version: gitcmd.Version{Major: 2, Minor: 50}},
		"git version 3.0-rc1":                              {version: gitcmd.Version{Major: 3, Minor: 0}},
		"git version 2.38.9":                               {tooOld: true},
		"git version 1.99.0":                               {tooOld: true},
		"hello":                                            {},
		"git version two":                                  {},
		"git version " + strings.Repeat("9", 30):           {},
		"git version 2.39.1\n" + strings.Repeat("x", 2000): {},
	} {
		g, err := gitcmd.Open(t.Context(), gitcmd.Options{Path: script(t, version, "")})
		switch {
		case want.version.Major > 0 && (err != nil || g.Version() != want.version):
			t.Errorf("%.40q: %v", version, err)
		case want.version.Major == 0 && err == nil:
			t.Errorf("%.40q was accepted", version)
		case want.tooOld != errors.Is(err, gitcmd.ErrTooOld):
			t.Errorf("%.40q: %v", version, err)
		}
	}
	if _, err := gitcmd.Open(t.Context(), gitcmd.Options{Path: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a git that is not there was found")
	}
}

func TestArgumentsAndEnvironment(t *testing.T) {
	t.Setenv("GIT_DIR", "/inherited")
	t.Setenv("GIT_CONFIG_COUNT", "1")
	t.Setenv("SECRET", "inherited")
	g := open(t, gitcmd.Options{Home: "/private", Path: script(t, "git version 2.39.5", `for a in "$@"; do echo "$a"; done; env; pwd`)})
	dir := t.TempDir()
	out, err := g.Command("merge-base").GitDir("/r.git").Config("a.b", "c").Flag("--all").Option("--x", "y z").
		Operand("--upload-pack=evil").Objects("/q", "/o1", "/o2").Protocol("2").Dir(dir).Output(t.Context(), 4096)
	if err != nil {
		t.Fatal(err)
	}
	args, rest, _ := strings.Cut(string(out), "PATH=")
	want := "--git-dir=/r.git\n-c\na.b=c\nmerge-base\n--all\n--x=y z\n--end-of-options\n--upload-pack=evil\n"
	if !strings.HasPrefix(args, want) {
		t.Errorf("arguments are\n%s\nwant\n%s", args, want)
	}
	text := args + rest
	for _, line := range []string{"HOME=/private", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_NO_REPLACE_OBJECTS=1",
		"LC_ALL=C", "GIT_OBJECT_DIRECTORY=/q", "GIT_ALTERNATE_OBJECT_DIRECTORIES=/o1:/o2", "GIT_PROTOCOL=version=2", dir} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
	if strings.Contains(text, "inherited") || strings.Contains(text, "CONFIG_COUNT") {
		t.Errorf("something was inherited:\n%s", text)
	}
}

func TestWrongArgumentsPanic(t *testing.T) {
	for name, f := range map[string]func(c *gitcmd.Command){
		"operand as flag": func(c *gitcmd.Command) { c.Flag("master") },
		"value in a flag": func(c *gitcmd.Command) { c.Flag("--x=y") },
		"short option":    func(c *gitcmd.Command) { c.Option("-x", "y") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was accepted", name)
				}
			}()
			f((&gitcmd.Git{}).Command("x"))
		}()
	}
}

func TestExitError(t *testing.T) {
	g := open(t, gitcmd.Options{})
	err := g.Command("cat-file").GitDir(t.TempDir()).Flag("-e").Operand("HEAD").Run(t.Context())
	exit, ok := errors.AsType[*gitcmd.ExitError](err)
	if !ok || exit.Code != 128 || !strings.Contains(exit.Stderr, "not a git repository") {
		t.Errorf("got %v", err)
	}
	if code, ok := gitcmd.ExitCode(err); !ok || code != 128 {
		t.Errorf("exit code %d, %v", code, ok)
	}
}

func TestStderrIsBounded(t *testing.T) {
	g := open(t, gitcmd.Options{Path: script(t, "git version 2.39.5", `yes "long line of trouble" | head -c 300000 >&2; echo the end >&2; exit 3`)})
	err := g.Command("x").Run(t.Context())
	exit, ok := errors.AsType[*gitcmd.ExitError](err)
	if !ok || exit.Code != 3 || len(exit.Stderr) > 9000 || !strings.HasSuffix(exit.Stderr, "the end") {
		t.Errorf("got %.100v", err)
	}
}

func TestOutputIsBounded(t *testing.T) {
	g := open(t, gitcmd.Options{Path: script(t, "git version 2.39.5", `exec yes`)})
	if _, err := g.Command("x").Output(t.Context(), 10_000); !errors.Is(err, gitcmd.ErrOutputTooLarge) {
		t.Errorf("got %v, want ErrOutputTooLarge", err)
	}
}

// TestCancelEndsTheGroup: the child of the process ends as well.
func TestCancelEndsTheGroup(t *testing.T) {
	g := open(t, gitcmd.Options{Path: script(t, "git version 2.39.5", `sleep 1000 & echo $!; wait`)})
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	child := make(chan int, 1)
	go func() {
		defer close(child)
		line := make([]byte, 32)
		n, _ := r.Read(line)
		pid, err := strconv.Atoi(strings.TrimSpace(string(line[:n])))
		if err == nil {
			child <- pid
		}
		cancel()
	}()
	if err := g.Command("x").Stdout(w).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	pid, ok := <-child
	if !ok {
		t.Fatal("the child did not say its number")
	}
	deadline := time.Now().Add(10 * time.Second)
	for alive(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still there", pid)
		}
	}
}

// alive is false for a process that has ended, even if nobody has waited for it.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestInputFails(t *testing.T) {
	g := open(t, gitcmd.Options{Path: script(t, "git version 2.39.5", `cat >/dev/null`)})
	// Two of them are what a write to a git that is gone fails with, too.
	for _, boom := range []error{errors.New("boom"), syscall.ECONNRESET, syscall.EPIPE} {
		err := g.Command("x").Stdin(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(boom))).Run(t.Context())
		if !errors.Is(err, boom) {
			t.Errorf("got %v, want the reader's error, %v", err, boom)
		}
	}
}

func TestOutputFails(t *testing.T) {
	g := open(t, gitcmd.Options{Path: script(t, "git version 2.39.5", `exec yes`)})
	boom := errors.New("boom")
	if err := g.Command("x").Stdout(failingWriter{boom}).Run(t.Context()); !errors.Is(err, boom) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

type failingWriter struct{ err error }

// Write fails.
func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// TestProcessThatDoesNotRead ends at once although there is more to feed it.
func TestProcessThatDoesNotRead(t *testing.T) {
	for _, read := range []string{"", "head -c 10 >/dev/null; "} {
		g := open(t, gitcmd.Options{Path: script(t, "git version 2.39.5", read+`exit 7`)})
		err := g.Command("x").Stdin(bytes.NewReader(make([]byte, 10<<20))).Run(t.Context())
		if code, _ := gitcmd.ExitCode(err); code != 7 {
			t.Errorf("%q: got %v, want exit status 7", read, err)
		}
	}
}

// TestCancelDoesNotWaitForInput: a client that sends nothing cannot hold a process.
func TestCancelDoesNotWaitForInput(t *testing.T) {
	g := open(t, gitcmd.Options{Path: script(t, "git version 2.39.5", `cat >/dev/null`)})
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	go func() {
		_, _ = w.Write([]byte("x"))
		cancel()
	}()
	if err := g.Command("x").Stdin(r).Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestClassesAreBounded(t *testing.T) {
	g := open(t, gitcmd.Options{Receiving: 1, Path: script(t, "git version 2.39.5", `cat >/dev/null`)})
	r, w := io.Pipe()
	first := make(chan error, 1)
	go func() { first <- g.Command("x").Class(gitcmd.Receiving).Stdin(r).Run(t.Context()) }()
	if _, err := w.Write([]byte("x")); err != nil { // the first is running now
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := g.Command("x").Class(gitcmd.Receiving).Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second of the class answered %v, want a wait to the deadline", err)
	}
	if err := g.Command("x").Class(gitcmd.Sending).Stdin(strings.NewReader("")).Run(t.Context()); err != nil {
		t.Errorf("one of another class: %v", err)
	}
	_ = w.Close()
	if err := <-first; err != nil {
		t.Error(err)
	}
	if err := g.Command("x").Class(gitcmd.Receiving).Stdin(strings.NewReader("")).Run(t.Context()); err != nil {
		t.Errorf("after the first: %v", err)
	}
}

func TestProcess(t *testing.T) {
	g := open(t, gitcmd.Options{Path: script(t, "git version 2.39.5", `exec cat`)})
	p, err := g.Command("x").Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := io.WriteString(p.In, "ping"); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 4)
		if _, err := io.ReadFull(p.Out, b); err != nil || string(b) != "ping" {
			t.Fatalf("got %q (%v)", b, err)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	p, err = g.Command("x").Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if _, err := p.Out.Read(make([]byte, 1)); err == nil {
		t.Error("a killed process answered")
	}
	if err := p.Close(); err == nil {
		t.Error("a killed process ended well")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	g := open(t, gitcmd.Options{})
	r := gittest.Init(t)
	r.Write("f", strings.Repeat("0123456789abcdef", 1<<20)) // 16 MiB
	err := g.Command("hash-object").GitDir(filepath.Join(r.Dir, ".git")).Flag("--stdin").Memory(4 << 20).
		Stdin(strings.NewReader(strings.Repeat("0123456789abcdef", 4<<20))).Run(t.Context())
	exit, ok := errors.AsType[*gitcmd.ExitError](err)
	if !ok || !strings.Contains(strings.ToLower(exit.Stderr), "memory") {
		t.Errorf("got %v, want git out of memory", err)
	}
}

func TestCheckFolder(t *testing.T) {
	for path, ok := range map[string]bool{"/a/b c": true, "/a:b": false, "/a\nb": false, `/a"b`: false} {
		if err := gitcmd.CheckFolder(path); (err == nil) != ok {
			t.Errorf("%q: %v", path, err)
		}
	}
}
