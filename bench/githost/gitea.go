package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
)

// giteaVersion is the newest that the Go module proxy has in full.
const giteaVersion = "v1.26.0"

// gitea is Gitea with SQLite and its own SSH server, built from its module without the
// assets of its web interface, which need Node.js and are of no use to git. The user
// has a token, which is cheaper to check than a password.
type gitea struct {
	dir, work string
	bin, conf string
	addr, shh string
	token     string
	keyed     bool
	proc      *process
}

func (h *gitea) name() string     { return "Gitea " + strings.TrimPrefix(giteaVersion, "v") }
func (h *gitea) server() *process { return h.proc }

// giteaConfig is what the installer's page writes, with the addresses and less to log.
const giteaConfig = `RUN_USER = %[1]s
RUN_MODE = prod
WORK_PATH = %[2]s
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true

[server]
PROTOCOL = http
HTTP_ADDR = 127.0.0.1
HTTP_PORT = %[3]s
ROOT_URL = http://127.0.0.1:%[3]s/
STATIC_ROOT_PATH = %[5]s
OFFLINE_MODE = true
START_SSH_SERVER = true
BUILTIN_SSH_SERVER_USER = git
SSH_LISTEN_HOST = 127.0.0.1
SSH_LISTEN_PORT = %[4]s
SSH_PORT = %[4]s
SSH_DOMAIN = 127.0.0.1

[database]
DB_TYPE = sqlite3

[security]
INSTALL_LOCK = true

[service]
DISABLE_REGISTRATION = true

[log]
MODE = console
LEVEL = Warn
`

func buildGitea(ctx context.Context, work, bin string) error {
	src, err := moduleSource(ctx, work, "code.gitea.io/gitea", giteaVersion)
	if err != nil {
		return err
	}
	return goBuild(ctx, src, nil, "build", "-tags", "sqlite sqlite_unlock_notify",
		"-ldflags", "-X main.Version="+strings.TrimPrefix(giteaVersion, "v"), "-o", bin, ".")
}

func (h *gitea) start(ctx context.Context) error {
	var err error
	h.bin, err = installed(ctx, h.work, "gitea", giteaVersion, func(ctx context.Context, bin string) error {
		return buildGitea(ctx, h.work, bin)
	})
	if err != nil {
		return err
	}
	if err := h.configure(); err != nil {
		return err
	}
	h.proc, err = startProcess("gitea", h.dir, filepath.Join(h.dir, "log"), h.env(), h.bin, "web", "--config", h.conf)
	if err != nil {
		return err
	}
	if err := h.proc.answers(ctx, h.addr); err != nil {
		return err
	}
	admin := []string{"admin", "user", "create", "--config", h.conf, "--admin", "--username", "bench", "--email", "bench@example.com",
		"--random-password", "--must-change-password=false"}
	if _, err := h.command(ctx, admin...); err != nil {
		return err
	}
	h.token, err = h.command(ctx, "admin", "user", "generate-access-token", "--config", h.conf, "--username", "bench", "--scopes", "all", "--raw")
	return err
}

func (h *gitea) configure() error {
	u, err := user.Current()
	if err != nil {
		return err
	}
	var ports [2]string
	for i, addr := range [...]*string{&h.addr, &h.shh} {
		if *addr, err = freeAddress(); err != nil {
			return err
		}
		ports[i] = strings.TrimPrefix(*addr, "127.0.0.1:")
	}
	h.conf = filepath.Join(h.dir, "app.ini")
	static := filepath.Join(h.work, "gitea-"+giteaVersion+"-source")
	return os.WriteFile(h.conf, fmt.Appendf(nil, giteaConfig, u.Username, h.dir, ports[0], ports[1], static), 0o600)
}

func (h *gitea) env() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + h.dir, "GITEA_WORK_DIR=" + h.dir}
}

// command runs gitea for its administrator, and returns the last word of what it prints.
func (h *gitea) command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, h.bin, args...)
	cmd.Dir, cmd.Env = h.dir, h.env()
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("gitea %s: %w\n%s%s", strings.Join(args[:3], " "), err, out, errs.Bytes())
	}
	words := strings.Fields(string(out))
	if len(words) == 0 {
		return "", fmt.Errorf("gitea %s printed nothing", strings.Join(args[:3], " "))
	}
	return words[len(words)-1], nil // below what it logs
}

func (h *gitea) stop() {
	if h.proc != nil {
		h.proc.stop()
	}
}

// call calls Gitea's API.
func (h *gitea) call(ctx context.Context, path string, in any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+h.addr+"/api/v1"+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "token "+h.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if text, _ := io.ReadAll(io.LimitReader(res.Body, 500)); res.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s: %s: %s", path, res.Status, text)
	}
	return nil
}

func (h *gitea) create(ctx context.Context, repository string) error {
	return h.call(ctx, "/user/repos", map[string]any{"name": repository, "private": true, "default_branch": "main"})
}

func (h *gitea) remote(repository string) remote {
	return remote{"http://" + h.addr + "/bench/" + repository + ".git", "bench", h.token}
}

// mostRefs: after a push Gitea goes through its refs one by one, with processes of git
// for each. Thousands take longer than a run.
func (h *gitea) mostRefs() int { return 1000 }

func (h *gitea) tidy(context.Context, string) error { return nil }

func (h *gitea) protect(ctx context.Context, repository string) error {
	return h.call(ctx, "/repos/bench/"+repository+"/branch_protections",
		map[string]any{"rule_name": strings.TrimPrefix(protected, "refs/heads/"), "enable_push": false})
}

func (h *gitea) ssh(ctx context.Context, repository string, k sshKey) (string, error) {
	if !h.keyed {
		if err := h.call(ctx, "/user/keys", map[string]any{"title": "bench", "key": strings.TrimSpace(k.public)}); err != nil {
			return "", err
		}
		h.keyed = true
	}
	return "ssh://git@" + h.shh + "/bench/" + repository + ".git", nil
}
