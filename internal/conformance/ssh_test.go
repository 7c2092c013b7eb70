package conformance

import (
	"os/exec"
	"strings"
	"testing"
)

// TestSSH: what only that door has. The client is OpenSSH's.
func TestSSH(t *testing.T) {
	h := newHouse(t)
	stock(t, h)
	for name, key := range keys(t) {
		t.Run("key "+name, func(t *testing.T) {
			h.Hire(t, "has-"+name, "Maintainers")
			id, command := h.uploadKey(t, "has-"+name, key)
			own := *h
			own.sshUser, own.ssh = id, command
			d := &door{&own, "ssh", 2}
			dir := d.work(t)
			d.git(t, dir, "push", "--quiet", "origin", "HEAD")
			d.has(t, dir, "refs/heads/master", d.value(t, dir, "rev-parse", "HEAD"))
		})
	}
	d := &door{h, "ssh", 2}
	t.Run("another's key", func(t *testing.T) {
		_, command := h.newKey(t, h.Hire(t, "stranger").Name)
		own := *h
		own.ssh = command // with dev's key ID as the user
		d := &door{&own, "ssh", 2}
		d.refused(t, h.Dir, []string{"Permission denied"}, "ls-remote", d.url("library"))
	})
	t.Run("no repository", func(t *testing.T) {
		d.refused(t, h.Dir, []string{"not found"}, "ls-remote", d.url("library.git"))
	})
	for name, command := range map[string]string{"shell": "", "another command": "ls /", "two commands": "git-upload-pack '/v1/repos/library'; ls /"} {
		t.Run(name, func(t *testing.T) {
			args := append(strings.Fields(h.ssh)[1:], h.sshUser+"@"+hostOf(h.sshURL), "-p", portOf(h.sshURL))
			if command != "" {
				args = append(args, command)
			} else {
				args = append([]string{"-T"}, args...)
			}
			cmd := exec.CommandContext(t.Context(), "ssh", args...)
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Errorf("ssh %s worked:\n%s", command, out)
			}
			if !strings.Contains(string(out), "Refward") && !strings.Contains(string(out), "git") {
				t.Errorf("nothing tells what this place is:\n%s", out)
			}
		})
	}
}

func hostOf(addr string) string { host, _, _ := strings.Cut(addr, ":"); return host }

func portOf(addr string) string { _, port, _ := strings.Cut(addr, ":"); return port }
