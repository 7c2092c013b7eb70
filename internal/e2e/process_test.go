package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refward/refward/internal/hosttest"
)

// SIGTERM ends a host with status 0, and what it leaves starts again.
func TestTerminate(t *testing.T) {
	h := hosttest.StartProcess(t)
	if code := h.Terminate(t); code != 0 {
		t.Errorf("exit status %d", code)
	}
	if _, err := os.Stat(filepath.Join(h.Data, "endpoints.json")); !os.IsNotExist(err) {
		t.Errorf("endpoints.json after the end: %v", err)
	}
	h.Restart(t)
	healthy(t, h)
}

// A second process on the same data is refused in words.
func TestSecondProcess(t *testing.T) {
	h := hosttest.StartProcess(t)
	cmd := exec.CommandContext(t.Context(), hosttest.Binary(t), "serve", "--data-dir", h.Data, "--listen", "127.0.0.1:0", "--ssh-listen", "127.0.0.1:0")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "in use by another refward process") {
		t.Errorf("%v\n%s", err, out)
	}
	healthy(t, h)
}
