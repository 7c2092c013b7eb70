package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// softServeVersion is the newest when this was written.
const softServeVersion = "v0.12.2"

// softServe is Soft Serve with its default settings: SQLite, and one administrator whose
// key is the harness's. It is told by SSH what to do. It has no protected branches.
type softServe struct {
	dir, work string
	key       sshKey
	http, shh string
	token     string
	proc      *process
}

func (h *softServe) name() string     { return "Soft Serve " + strings.TrimPrefix(softServeVersion, "v") }
func (h *softServe) server() *process { return h.proc }

func (h *softServe) start(ctx context.Context) error {
	bin, err := installed(ctx, h.work, "soft", softServeVersion, func(ctx context.Context, bin string) error {
		err := goBuild(ctx, h.work, []string{"GOBIN=" + h.dir}, "install", "github.com/charmbracelet/soft-serve/cmd/soft@"+softServeVersion)
		if err != nil {
			return err
		}
		return os.Rename(filepath.Join(h.dir, "soft"), bin)
	})
	if err != nil {
		return err
	}
	var daemon, stats string
	for _, addr := range [...]*string{&h.http, &h.shh, &daemon, &stats} {
		if *addr, err = freeAddress(); err != nil {
			return err
		}
	}
	h.proc, err = startProcess("soft-serve", h.dir, filepath.Join(h.dir, "log"), []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir,
		"SOFT_SERVE_DATA_PATH=" + filepath.Join(h.dir, "data"),
		"SOFT_SERVE_INITIAL_ADMIN_KEYS=" + strings.TrimSpace(h.key.public),
		"SOFT_SERVE_HTTP_LISTEN_ADDR=" + h.http, "SOFT_SERVE_HTTP_PUBLIC_URL=http://" + h.http,
		"SOFT_SERVE_SSH_LISTEN_ADDR=" + h.shh, "SOFT_SERVE_GIT_LISTEN_ADDR=" + daemon, "SOFT_SERVE_STATS_LISTEN_ADDR=" + stats,
	}, bin, "serve")
	if err != nil {
		return err
	}
	if err := firstOf(h.proc.answers(ctx, h.shh), h.proc.answers(ctx, h.http)); err != nil {
		return err
	}
	h.token, err = h.command(ctx, "token", "create", "bench")
	return err
}

func (h *softServe) stop() {
	if h.proc != nil {
		h.proc.stop()
	}
}

// command gives Soft Serve a command over SSH.
func (h *softServe) command(ctx context.Context, args ...string) (string, error) {
	_, port, err := net.SplitHostPort(h.shh)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "ssh", append(append(sshOptions(h.key), "-p", port, "127.0.0.1"), args...)...)
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("soft-serve %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

func (h *softServe) create(ctx context.Context, repository string) error {
	_, err := h.command(ctx, "repo", "create", repository, "--private")
	return err
}

func (h *softServe) remote(repository string) remote {
	return remote{"http://" + h.http + "/" + repository + ".git", h.token, ""} // as its documentation says
}

// mostRefs: for each ref of a push Soft Serve starts some sixty processes, one after the
// other, which take a second or more.
func (h *softServe) mostRefs() int { return 100 }

func (h *softServe) tidy(context.Context, string) error    { return nil }
func (h *softServe) protect(context.Context, string) error { return errNot }

func (h *softServe) ssh(_ context.Context, repository string, _ sshKey) (string, error) {
	return "ssh://" + h.shh + "/" + repository, nil
}
