package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/refward/refward/internal/demo"
	"github.com/refward/refward/internal/hosttest"
	"github.com/refward/refward/internal/person"
)

const (
	crashWriters = 4
	crashTimeout = 8 * time.Minute
)

// pusher pushes commit after commit to a branch of its own.
type pusher struct {
	*person.Person
	dir    string
	branch string
	acked  atomic.Pointer[string] // the last commit that the host acknowledged
}

// TestNoPushIsLostToKill kills the host again and again while several people push, and
// starts it again each time.
func TestNoPushIsLostToKill(t *testing.T) {
	noPushIsLost(t, 200, 8)
}

// TestNoPushIsLostToMaintenance does the same with a host that consolidates at every
// third push, while others clone.
func TestNoPushIsLostToMaintenance(t *testing.T) {
	h := noPushIsLost(t, 80, 5, "--maintenance-packs", "3")
	if !strings.Contains(h.Log(), "consolidated a repository") {
		t.Error("the host did not consolidate anything")
	}
}

// noPushIsLost kills a host so many times while so many pushes are made, looks that
// nothing is lost, and lets fsck look at what is left.
func noPushIsLost(t *testing.T, pushes, kills int, args ...string) *hosttest.Process {
	t.Helper()
	if testing.Short() {
		t.Skip("kills a host for a while: not with -short")
	}
	h := hosttest.StartProcess(t, args...)
	url, all := pushers(t, h)

	ctx, cancel := context.WithTimeout(t.Context(), crashTimeout)
	defer cancel()
	var acks atomic.Int64
	var down sync.RWMutex // write-locked while the host is down
	g, ctx := errgroup.WithContext(ctx)
	for _, p := range all {
		g.Go(func() error {
			for i := range pushes / crashWriters {
				if err := p.push(ctx, i, &down); err != nil {
					return err
				}
				acks.Add(1)
			}
			return nil
		})
	}
	ended := make(chan struct{})
	if len(args) > 0 {
		g.Go(func() error { return cloneUntil(ctx, all[0].Person, url, &down, ended) })
	}
	for kill := range int64(kills) {
		due := (kill + 1) * int64(pushes) / int64(kills+1)
		hosttest.Eventually(t, crashTimeout, fmt.Sprintf("%d pushes are acknowledged", due), func() bool { return acks.Load() >= due || ctx.Err() != nil })
		h.Kill(t) // others are in the middle of a push
		down.Lock()
		h.Restart(t)
		nothingLost(t, all, url)
		down.Unlock()
	}
	hosttest.Eventually(t, crashTimeout, "all pushes are acknowledged", func() bool { return acks.Load() == int64(pushes)/crashWriters*crashWriters || ctx.Err() != nil })
	close(ended)
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	h.Kill(t)
	h.Restart(t)
	nothingLost(t, all, url)

	mirror := filepath.Join(t.TempDir(), "mirror")
	hosttest.Git(t, all[0].Person, h.Dir, "clone", "--quiet", "--mirror", url, mirror)
	if out := hosttest.Git(t, all[0].Person, mirror, "fsck", "--full", "--strict", "--no-dangling"); strings.Contains(out, "error") || strings.Contains(out, "missing") {
		t.Errorf("git fsck: %s", out)
	}
	for _, p := range all {
		n := strings.TrimSpace(hosttest.Git(t, p.Person, mirror, "rev-list", "--count", "refs/heads/"+p.branch))
		if want := fmt.Sprint(pushes / crashWriters); n != want {
			t.Errorf("%s has %s commits, want %s", p.branch, n, want)
		}
	}
	if strings.Contains(h.Log(), "panic") {
		t.Error("the host panicked")
	}
	if code := h.Terminate(t); code != 0 {
		t.Errorf("the host ended with status %d", code)
	}
	if out, code := fsck(t, h.Data); code != 0 {
		t.Errorf("refward fsck: exit status %d\n%s", code, out)
	}
	return h
}

// cloneUntil clones again and again. A clone may fail when the host is killed, and only
// then.
func cloneUntil(ctx context.Context, p *person.Person, url string, down *sync.RWMutex, ended <-chan struct{}) error {
	for n := 0; ; n++ {
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		default:
		}
		dir := filepath.Join(p.Home, fmt.Sprint("clone", n))
		r, err := p.Git(ctx, p.Home, "-c", "transfer.fsckObjects=true", "clone", "--quiet", "--mirror", url, dir)
		if err != nil {
			return err
		}
		if !r.OK() && !strings.Contains(r.Output, "Failed to connect") && !strings.Contains(r.Output, "RPC failed") &&
			!strings.Contains(r.Output, "Empty reply") && !strings.Contains(r.Output, "Connection reset") {
			return fmt.Errorf("clone %d: %s", n, r.Output)
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		await(down)
	}
}

// pushers makes a repository and people with a branch each.
func pushers(t *testing.T, h *hosttest.Process) (string, []*pusher) {
	t.Helper()
	var all []*pusher
	url := setUpWriters(t, h.Root, h.Place, h.Account)
	for i := range crashWriters {
		name := fmt.Sprintf("writer%d", i)
		p, err := h.Root.Hire(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		addToGroup(t, h.Root, name, demo.Approvers)
		dir := filepath.Join(t.TempDir(), name)
		hosttest.Git(t, p, h.Dir, "clone", "--quiet", url, dir)
		hosttest.Git(t, p, dir, "symbolic-ref", "HEAD", "refs/heads/"+name)
		none := ""
		all = append(all, &pusher{Person: p, dir: dir, branch: name})
		all[i].acked.Store(&none)
	}
	return url, all
}

// push makes a commit and pushes it until the host has acknowledged it. While the host
// is known to be down it waits.
func (p *pusher) push(ctx context.Context, i int, down *sync.RWMutex) error {
	// Two sizes of pack: one travels in the transaction, the other as a file.
	content := fmt.Sprintf("%s %d\n", p.branch, i)
	if i%10 == 9 {
		content = hosttest.Noise(256 << 10)
	}
	if err := p.Commit(ctx, p.dir, fmt.Sprintf("file%d", i), content, fmt.Sprint("Push ", i)); err != nil {
		return err
	}
	head, err := p.Git(ctx, p.dir, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	commit := strings.TrimSpace(head.Output)
	for {
		r, err := p.Git(ctx, p.dir, "push", "--quiet", "origin", "HEAD")
		if err != nil {
			return err
		}
		if r.OK() {
			p.acked.Store(&commit)
			return nil
		}
		if strings.Contains(r.Output, "rejected") || strings.Contains(r.Output, "Authentication") {
			return fmt.Errorf("%s, push %d: %s", p.branch, i, r.Output)
		}
		await(down)
	}
}

// await returns when nobody holds the lock for writing.
func await(down *sync.RWMutex) {
	down.RLock()
	defer down.RUnlock()
}

// nothingLost compares the host's refs with what it acknowledged.
func nothingLost(t *testing.T, all []*pusher, url string) {
	t.Helper()
	acked := map[string]string{}
	for _, p := range all {
		acked[p.branch] = *p.acked.Load()
	}
	refs := hosttest.Refs(t, all[0].Person, url)
	for _, p := range all {
		tip, want := refs["refs/heads/"+p.branch], acked[p.branch]
		if want == "" || tip == want {
			continue
		}
		// A later push may have been committed, and its acknowledgement cut off. The
		// pusher has the commits of both.
		r, err := p.Git(t.Context(), p.dir, "merge-base", "--is-ancestor", want, tip)
		if err != nil || !r.OK() {
			t.Errorf("%s is at %q, and %s was acknowledged", p.branch, tip, want)
		}
	}
}
