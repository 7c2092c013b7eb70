package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
)

// git runs the git of this machine as a client, with no configuration of a user's.
type git struct {
	env []string
}

// helper answers git's question for a credential from the environment.
const helper = `!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "$BENCH_USER" "$BENCH_PASSWORD"; }; f`

func newGit(home string) git {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=true",
	}
	config := []string{"gc.auto=0", "maintenance.auto=false", "protocol.version=2", "http.proxy=", "credential.helper=" + helper}
	env = append(env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(config)))
	for i, kv := range config {
		k, v, _ := strings.Cut(kv, "=")
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, k), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, v))
	}
	return git{env}
}

// as is g with more in its environment.
func (g git) as(env ...string) git {
	return git{append(g.env[:len(g.env):len(g.env)], env...)}
}

// run runs git and returns what it printed; a git that fails is an error with all of
// that.
func (g git) run(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := g.command(ctx, dir, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return out.String(), fmt.Errorf("git %.200s: %w\n%.600s%.600s", strings.Join(args, " "), err, out.String(), errs.String())
	}
	return out.String(), nil
}
