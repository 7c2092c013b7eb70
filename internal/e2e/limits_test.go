package e2e

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/server"
)

// TestPackOverTheLimit: whoever pushes a pack that is larger than accepted is told so
// by git, nothing of it stays, and a smaller push lands.
func TestPackOverTheLimit(t *testing.T) {
	h := hosttest.Start(t, func(c *server.Config) { c.MaxPackBytes = 1 << 20 })
	_, senior, url := h.Story(t)
	dir := h.Clone(t, senior, url)
	noise := make([]byte, 3<<20)
	rand.Read(noise)
	hosttest.Commit(t, senior, dir, "noise", string(noise))
	out := hosttest.GitFails(t, senior, dir, "push", "origin", "HEAD:refs/heads/large")
	if !strings.Contains(out, "larger than the limit") || !strings.Contains(out, "[remote rejected] HEAD -> large") {
		t.Errorf("git push said:\n%s", out)
	}
	hosttest.Git(t, senior, dir, "checkout", "-q", "--orphan", "small")
	hosttest.Git(t, senior, dir, "rm", "-q", "-r", "-f", ".")
	hosttest.Commit(t, senior, dir, "README.md", "small")
	hosttest.Git(t, senior, dir, "push", "-q", "origin", "HEAD:refs/heads/small")
	if refs := hosttest.Refs(t, senior, url); len(refs) != 2 || refs["refs/heads/small"] == "" { // HEAD is the other
		t.Errorf("refs are %v", refs)
	}
}
