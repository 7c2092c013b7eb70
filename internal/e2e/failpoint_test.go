package e2e

import (
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/failpoint"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
)

// TestKillAtEachStep ends a host at each step of a push, for a push that travels in the
// transaction and one that is a file. Before the commit nothing of the push may be seen,
// after it all of it; what was acknowledged before stays, and the next push works.
func TestKillAtEachStep(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a host for a while: not with -short")
	}
	h := hosttest.StartProcess(t)
	url := setUpWriters(t, h.Root, h.Place, h.Account)
	p, err := h.Root.Hire(t.Context(), "writer")
	if err != nil {
		t.Fatal(err)
	}
	addToGroup(t, h.Root, p.Name, demo.Approvers)
	dir := filepath.Join(t.TempDir(), "work")
	hosttest.Git(t, p, h.Dir, "clone", "--quiet", url, dir)
	hosttest.Commit(t, p, dir, "f", "first")
	hosttest.Git(t, p, dir, "push", "--quiet", "origin", "HEAD:refs/heads/master")

	for step, visible := range map[failpoint.Step]bool{
		failpoint.PackReceived: false, failpoint.PackStored: false, failpoint.RefsMoved: false,
		failpoint.MoveCommitted: true, failpoint.PackCached: true,
	} {
		for kind, size := range map[string]int{"inline": 100, "blob": 200 << 10} {
			t.Run(string(step)+"/"+kind, func(t *testing.T) { dieAt(t, h, p, url, dir, step, visible, size) })
		}
	}
	for _, step := range []failpoint.Step{failpoint.PacksMerged, failpoint.MergedStored, failpoint.PacksReplaced} {
		t.Run(string(step), func(t *testing.T) { dieInMaintenance(t, h, p, url, dir, step) })
	}
}

// dieInMaintenance ends maintenance at a step, on a host that does not run: what was there
// is there afterwards, and the next maintenance and the next push work.
func dieInMaintenance(t *testing.T, h *hosttest.Process, p *person.Person, url, dir string, step failpoint.Step) {
	before := hosttest.Refs(t, p, url)
	if code := h.Terminate(t); code != 0 {
		t.Errorf("the host ended with status %d", code)
	}
	h.Arm(t, string(step))
	out, err := h.Command(t.Context(), "maintenance", "run", "--force").CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.Exited() {
		t.Fatalf("maintenance did not die at %s: %v\n%s", step, err, out)
	}
	h.Arm(t, "")
	for _, args := range [][]string{{"fsck"}, {"maintenance", "run", "--force"}, {"fsck"}} {
		if out, err := h.Command(t.Context(), args...).CombinedOutput(); err != nil {
			t.Errorf("refward %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	h.Restart(t)
	if after := hosttest.Refs(t, p, url); !maps.Equal(before, after) {
		t.Errorf("refs: %v, want %v", after, before)
	}
	soundMirror(t, p, h.Dir, url)
	hosttest.Commit(t, p, dir, "f", "after "+string(step))
	hosttest.Git(t, p, dir, "push", "--quiet", "origin", "HEAD:refs/heads/master")
}

// dieAt pushes to a host that dies at a step, and looks at what is there afterwards.
func dieAt(t *testing.T, h *hosttest.Process, p *person.Person, url, dir string, step failpoint.Step, visible bool, size int) {
	before := hosttest.Refs(t, p, url)["refs/heads/master"]
	h.Kill(t)
	h.Arm(t, string(step))
	h.Restart(t)
	hosttest.Commit(t, p, dir, "f", fmt.Sprint(step, hosttest.Noise(size)))
	hosttest.GitFails(t, p, dir, "push", "--quiet", "origin", "HEAD:refs/heads/master")
	h.Gone(t)
	h.Arm(t, "")
	h.Restart(t)

	head := strings.TrimSpace(hosttest.Git(t, p, dir, "rev-parse", "HEAD"))
	want := before
	if visible {
		want = head
	}
	if got := hosttest.Refs(t, p, url)["refs/heads/master"]; got != want {
		t.Errorf("master is at %s, want %s", got, want)
	}
	soundMirror(t, p, h.Dir, url)
	nothingLeft(t, h.Data)
	hosttest.Git(t, p, dir, "push", "--quiet", "origin", "HEAD:refs/heads/master")
	if got := hosttest.Refs(t, p, url)["refs/heads/master"]; got != head {
		t.Errorf("after the push that followed master is at %s, want %s", got, head)
	}
	soundMirror(t, p, h.Dir, url)
}
