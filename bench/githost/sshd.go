package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
)

// sshd is OpenSSH's server (Debian's package openssh-server) on bare repositories, for
// the account that runs the harness: what a team without a Git host has. It has SSH
// only; repositories come into it as files.
type sshd struct {
	dir  string
	git  git
	key  sshKey
	addr string
	proc *process
}

func (h *sshd) name() string     { return "sshd" }
func (h *sshd) server() *process { return h.proc }

// sshdConfig takes the harness's key only, and the variable that says which version of
// the protocol git speaks, as the documentation of git says to (git-config(1),
// protocol.version). A bash that sshd starts reads the account's start-up file; not one
// that takes itself for an inner shell.
const sshdConfig = `ListenAddress %[1]s
HostKey %[2]s/host_key
AuthorizedKeysFile %[2]s/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AcceptEnv GIT_PROTOCOL
SetEnv SHLVL=2
`

func (h *sshd) start(ctx context.Context) error {
	exe, err := exec.LookPath("sshd")
	if err != nil {
		exe = "/usr/sbin/sshd" // which is not on everybody's PATH
	}
	if _, err := os.Stat(exe); err != nil {
		return fmt.Errorf("there is no sshd (Debian: apt-get install openssh-server): %w", err)
	}
	if os.Getuid() == 0 { // where sshd puts its child without rights; systemd makes it elsewhere
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			return err
		}
	}
	if h.addr, err = freeAddress(); err != nil {
		return err
	}
	key := filepath.Join(h.dir, "host_key")
	if out, err := exec.CommandContext(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		return fmt.Errorf("ssh-keygen: %w\n%s", err, out)
	}
	config := filepath.Join(h.dir, "sshd_config")
	err = firstOf(
		os.WriteFile(config, fmt.Appendf(nil, sshdConfig, h.addr, h.dir), 0o600),
		os.WriteFile(filepath.Join(h.dir, "authorized_keys"), []byte(h.key.public), 0o600),
		os.MkdirAll(filepath.Join(h.dir, "repositories"), 0o755),
	)
	if err != nil {
		return err
	}
	h.proc, err = startProcess("sshd", h.dir, filepath.Join(h.dir, "log"), []string{"PATH=" + os.Getenv("PATH")}, exe, "-D", "-e", "-f", config)
	if err != nil {
		return err
	}
	return h.proc.answers(ctx, h.addr)
}

func (h *sshd) stop() {
	if h.proc != nil {
		h.proc.stop()
	}
}

func (h *sshd) path(repository string) string {
	return filepath.Join(h.dir, "repositories", repository+".git")
}

func (h *sshd) create(ctx context.Context, repository string) error {
	_, err := h.git.run(ctx, "", "init", "--quiet", "--bare", "--initial-branch=main", h.path(repository))
	return err
}

func (h *sshd) remote(repository string) remote { return remote{url: h.path(repository)} }

func (h *sshd) tidy(context.Context, string) error    { return nil }
func (h *sshd) protect(context.Context, string) error { return errNot }

func (h *sshd) ssh(_ context.Context, repository string, _ sshKey) (string, error) {
	u, err := user.Current()
	if err != nil {
		return "", err
	}
	return "ssh://" + u.Username + "@" + h.addr + h.path(repository), nil
}
