package person

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// gitTimeout bounds one git command.
const gitTimeout = 2 * time.Minute

// helper answers git's question for a credential from the environment, so that no
// password is in an argument, a URL or a file.
const helper = `!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "$PERSON_GIT_USER" "$PERSON_GIT_PASSWORD"; }; f`

// Result is what became of one git command.
type Result struct {
	Output string // standard output and standard error, as they came
	Code   int    // exit status; -1 where git was ended
}

// OK reports whether git exited with status 0.
func (r Result) OK() bool { return r.Code == 0 }

// Git runs git in a folder. The error is for a git that could not be run; a git that
// refused is a Result with its status.
func (p *Person) Git(ctx context.Context, dir string, args ...string) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = p.Env()
	// git has children of its own, which must not outlive it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if ctx.Err() != nil {
		return Result{out.String(), -1}, fmt.Errorf("git %s: %w", strings.Join(args, " "), ctx.Err())
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return Result{out.String(), exit.ExitCode()}, nil
	}
	if err != nil {
		return Result{out.String(), -1}, fmt.Errorf("run git: %w", err)
	}
	return Result{Output: out.String()}, nil
}

// Refs asks a host for every ref of the repository at url, and its object ID.
func (p *Person) Refs(ctx context.Context, url string) (map[string]string, error) {
	r, err := p.Git(ctx, p.Home, "ls-remote", "--quiet", url)
	if err != nil {
		return nil, err
	}
	if !r.OK() {
		return nil, fmt.Errorf("git ls-remote: %s", r.Output)
	}
	refs := map[string]string{}
	for line := range strings.SplitSeq(r.Output, "\n") {
		if id, name, ok := strings.Cut(line, "\t"); ok {
			refs[name] = id
		}
	}
	return refs, nil
}

// Env is the environment of the person's git.
func (p *Person) Env() []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + p.Home,
		"LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_ASKPASS=true",
		"GIT_AUTHOR_NAME=" + p.Name,
		"GIT_AUTHOR_EMAIL=" + p.Name + "@example.com",
		"GIT_COMMITTER_NAME=" + p.Name,
		"GIT_COMMITTER_EMAIL=" + p.Name + "@example.com",
		"PERSON_GIT_USER=" + p.GitUser,
		"PERSON_GIT_PASSWORD=" + p.GitPassword,
	}
	return append(env, config(
		"init.defaultBranch", "master",
		"advice.detachedHead", "false",
		"gc.auto", "0",
		"protocol.version", "2",
		"http.proxy", "",
		"credential.helper", helper,
	)...)
}

// config spells pairs of key and value as git takes them from its environment.
func config(pairs ...string) []string {
	env := []string{fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(pairs)/2)}
	for i := 0; i+1 < len(pairs); i += 2 {
		env = append(env,
			fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i/2, pairs[i]),
			fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i/2, pairs[i+1]))
	}
	return env
}

// Write puts a file into the person's checkout.
func Write(dir, name, content string) error {
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(content), 0o644)
}

// Commit writes a file and commits it, and answers with git's own failure if there is
// one.
func (p *Person) Commit(ctx context.Context, dir, name, content, message string) error {
	if err := Write(dir, name, content); err != nil {
		return err
	}
	for _, args := range [][]string{{"add", "--", name}, {"commit", "--quiet", "-m", message}} {
		r, err := p.Git(ctx, dir, args...)
		if err != nil {
			return err
		}
		if !r.OK() {
			return fmt.Errorf("git %s: %s", args[0], r.Output)
		}
	}
	return nil
}
