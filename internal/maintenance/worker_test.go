package maintenance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/pack"
	"github.com/refward/refward/internal/maintenance"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

// TestLook: many packs become one with a bitmap, and nothing changes for anybody.
func TestLook(t *testing.T) {
	h := newHost(t, maintenance.Options{Packs: 5})
	m := h.model(t, "payments")
	m.grow(t, h, 4, 100)
	if err := h.Look(t.Context(), m.id); err != nil {
		t.Fatal(err)
	}
	if n := len(h.packs(t, m.id)); n != 4 {
		t.Fatalf("%d packs, want the 4 that came: nothing is due", n)
	}
	m.grow(t, h, 1, 20_000) // one that is not inline
	before := h.mirror(t, m)
	r := h.row(t, m)
	h.clock.add(time.Minute)
	if err := h.Look(t.Context(), m.id); err != nil {
		t.Fatal(err)
	}
	packs := h.packs(t, m.id)
	if len(packs) != 1 || !packs[0].Bitmap || !packs[0].Consolidated || packs[0].IsInline() || packs[0].Objects != 15 {
		t.Fatalf("the packs are %+v", packs)
	}
	if events, items := h.happened(maintenance.Consolidated); events != 1 || items != 5 {
		t.Errorf("%d consolidations of %d packs were told of", events, items)
	}
	now := h.row(t, m)
	if now.Gen != r.Gen+1 || now.Epoch != r.Epoch || !now.Modified.Equal(r.Modified) {
		t.Errorf("the repository was %+v and is %+v", r, now)
	}
	if after := h.mirror(t, m); after != before {
		t.Errorf("a mirror was\n%s\nand is\n%s", before, after)
	}
	h.holds(t, m)
	h.wantCached(t, m, packs[0].ID+".bitmap", packs[0].ID+".idx", packs[0].ID+".pack", packs[0].ID+".rev")
	if notes := h.clean(t); len(notes) != 5 {
		t.Errorf("fsck notes %v, want the five packs that died", notes)
	}
	h.reopen(t)
	h.holds(t, m)
	h.wantCached(t, m, packs[0].ID+".bitmap", packs[0].ID+".idx", packs[0].ID+".pack", packs[0].ID+".rev")
}

func (h *host) row(t testing.TB, m *model) codecommit.Repository {
	t.Helper()
	var r codecommit.Repository
	err := h.service.Store.View(t.Context(), func(ctx codecommitContext, tx codecommit.Reader) (err error) {
		r, err = tx.RepositoryByID(ctx, m.id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantCached checks which files of packs are in the cache.
func (h *host) wantCached(t testing.TB, m *model, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(h.folder, "cache", string(m.id), "objects", "pack"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, strings.TrimPrefix(e.Name(), "pack-"))
	}
	if fmt.Sprint(got) != fmt.Sprint(names) {
		t.Errorf("the cache has %v, want %v", got, names)
	}
}

// TestUnreachable: what no ref reaches any more stays.
func TestUnreachable(t *testing.T) {
	h := newHost(t, maintenance.Options{Packs: 3})
	m := h.model(t, "payments")
	m.grow(t, h, 1, 100)
	side := commit(t, "side", m.refs[master])
	m.move(t, h, "refs/heads/side", side)
	m.move(t, h, "refs/heads/side", made{})              // deleted
	m.move(t, h, master, commit(t, "another beginning")) // forced
	if err := h.Look(t.Context(), m.id); err != nil {
		t.Fatal(err)
	}
	if packs := h.packs(t, m.id); len(packs) != 1 || packs[0].Objects != 9 {
		t.Fatalf("the packs are %+v", packs)
	}
	h.holds(t, m)
	// And it may come back without its objects.
	m.move(t, h, "refs/heads/side", made{id: side.id})
	h.holds(t, m)
	h.clean(t)
}

// TestNoRefs: a repository all of whose branches are gone keeps its objects too. Its
// default branch cannot be deleted, so it has none: only a tag was ever there.
func TestNoRefs(t *testing.T) {
	h := newHost(t, maintenance.Options{Packs: 2})
	m := h.model(t, "payments")
	m.move(t, h, "refs/tags/a", commit(t, "a"))
	m.move(t, h, "refs/tags/b", commit(t, "b"))
	m.move(t, h, "refs/tags/a", made{})
	m.move(t, h, "refs/tags/b", made{})
	for range 2 { // and once is enough
		if err := h.Look(t.Context(), m.id); err != nil {
			t.Fatal(err)
		}
	}
	if packs := h.packs(t, m.id); len(packs) != 1 || packs[0].Objects != 6 {
		t.Errorf("the packs are %+v", packs)
	}
	h.holds(t, m)
	h.clean(t)
}

// TestLargePush: one large pack gets its bitmap without waiting for others.
func TestLargePush(t *testing.T) {
	h := newHost(t, maintenance.Options{BitmapBytes: 10_000})
	m := h.model(t, "payments")
	m.grow(t, h, 1, 20_000)
	for range 2 {
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if packs := h.packs(t, m.id); len(packs) != 1 || !packs[0].Bitmap {
		t.Errorf("the packs are %+v", packs)
	}
	if events, _ := h.happened(maintenance.Consolidated); events != 1 {
		t.Errorf("%d consolidations, want one", events)
	}
	h.holds(t, m)
}

// TestForce makes one pack although nothing is due, and leaves one pack as it is.
func TestForce(t *testing.T) {
	h := newHost(t, maintenance.Options{})
	m := h.model(t, "payments")
	m.grow(t, h, 2, 100)
	for range 2 {
		if err := h.Force(t.Context(), m.id); err != nil {
			t.Fatal(err)
		}
	}
	if packs := h.packs(t, m.id); len(packs) != 1 || !packs[0].Bitmap {
		t.Errorf("the packs are %+v", packs)
	}
	if err := h.Force(t.Context(), "no-such"); !errors.Is(err, maintenance.ErrNotFound) {
		t.Errorf("a repository that does not exist: %v", err)
	}
	if err := h.Look(t.Context(), "no-such"); err != nil {
		t.Errorf("one that was deleted is no failure: %v", err)
	}
}

// TestPushDuringConsolidation: a push commits while the packs it was checked against
// are written anew. Both win.
func TestPushDuringConsolidation(t *testing.T) {
	h := newHost(t, maintenance.Options{Packs: 4})
	m := h.model(t, "payments")
	m.grow(t, h, 4, 100)
	var once bool
	h.faults.before = func() {
		if !once {
			once = true
			m.grow(t, h, 1, 100)
		}
	}
	if err := h.Look(t.Context(), m.id); err != nil {
		t.Fatal(err)
	}
	if n := len(h.packs(t, m.id)); n != 2 {
		t.Errorf("%d packs, want the new one and that of the push", n)
	}
	h.holds(t, m)
	h.clean(t)
}

// TestConsolidationDuringPush: the packs that a push is being checked against are
// replaced, and leave the cache, before it commits. Nothing that it was checked against
// is gone: it is accepted.
func TestConsolidationDuringPush(t *testing.T) {
	h := newHost(t, maintenance.Options{})
	m := h.model(t, "payments")
	m.grow(t, h, 3, 100)
	old := h.packs(t, m.id)
	next := commit(t, text(100), m.refs[master])
	data, err := pack.Encode(next.objects)
	if err != nil {
		t.Fatal(err)
	}
	half := &midway{first: bytes.NewReader(data[:len(data)/2]), rest: bytes.NewReader(data[len(data)/2:]), between: func() {
		if err := h.Force(t.Context(), m.id); err != nil {
			t.Error(err)
		}
		for _, p := range old { // index-pack runs, and may read them
			if _, err := os.Stat(filepath.Join(h.folder, "cache", string(m.id), "objects", "pack", "pack-"+p.ID+".pack")); err != nil {
				t.Errorf("a pack that a push is checked against: %v", err)
			}
		}
	}}
	h.pushPack(t, "payments", half, codecommit.RefCommand{Ref: master, Old: m.refs[master], New: next.id})
	m.moved(master, next)
	if !half.done {
		t.Fatal("nothing was consolidated in the middle of the push")
	}
	now := h.packs(t, m.id)
	if len(now) != 2 {
		t.Errorf("%d packs, want the new one and that of the push", len(now))
	}
	h.holds(t, m)
	h.clean(t)
	for _, p := range old { // the push has ended
		if _, err := os.Stat(filepath.Join(h.folder, "cache", string(m.id), "objects", "pack", "pack-"+p.ID+".pack")); !os.IsNotExist(err) {
			t.Errorf("a replaced pack is still in the cache (%v)", err)
		}
	}
}

// midway does something in the middle of being read.
type midway struct {
	first, rest io.Reader
	between     func()
	done        bool
}

func (m *midway) Read(p []byte) (int, error) {
	n, err := m.first.Read(p)
	if err == io.EOF && !m.done {
		m.done = true
		m.between()
		m.first = m.rest
		return m.first.Read(p)
	}
	return n, err
}

// TestTwoWorkers consolidate the same packs. One of them loses, and takes back what it
// has stored.
func TestTwoWorkers(t *testing.T) {
	h := newHost(t, maintenance.Options{Packs: 3})
	m := h.model(t, "payments")
	m.grow(t, h, 3, 100)
	var once bool
	h.faults.before = func() {
		if !once {
			once = true
			if err := h.Force(t.Context(), m.id); err != nil {
				t.Error(err)
			}
		}
	}
	if err := h.Look(t.Context(), m.id); err != nil {
		t.Fatal(err)
	}
	if n, _ := h.happened(maintenance.Overtaken); n != 1 {
		t.Errorf("%d were overtaken, want one", n)
	}
	if packs := h.packs(t, m.id); len(packs) != 1 {
		t.Errorf("the packs are %+v", packs)
	}
	h.holds(t, m)
	for _, n := range h.clean(t) {
		if n.Kind != "dead-pack" {
			t.Errorf("left behind: %+v", n)
		}
	}
}

// TestBusyRepository: that something is due again whenever something was done is no
// failure, and the repository gets its next turn.
func TestBusyRepository(t *testing.T) {
	h := newHost(t, maintenance.Options{Packs: 3})
	m := h.model(t, "payments")
	m.grow(t, h, 3, 100)
	h.faults.before = func() { m.grow(t, h, 3, 100) }
	if err := h.Look(t.Context(), m.id); err != nil {
		t.Fatal(err)
	}
	if n, _ := h.happened(maintenance.Consolidated); n != 8 {
		t.Errorf("%d consolidations in one turn, want 8", n)
	}
	ctx, end := context.WithTimeout(t.Context(), time.Minute)
	defer end()
	again := false
	h.faults.before = func() { again = true; end() }
	h.Run(ctx)
	if !again {
		t.Error("what is due is not looked at again")
	}
	h.holds(t, m)
}

// TestDeletedMeanwhile: the repository is deleted while its packs are written anew.
func TestDeletedMeanwhile(t *testing.T) {
	h := newHost(t, maintenance.Options{Packs: 3})
	m := h.model(t, "payments")
	m.grow(t, h, 3, 8000)
	h.faults.before = func() { h.deleteRepository(t, m) }
	if err := h.Look(t.Context(), m.id); err != nil {
		t.Fatal(err)
	}
	if packs := h.packs(t, m.id); len(packs) != 0 {
		t.Errorf("a deleted repository has packs: %+v", packs)
	}
	h.clean(t)
	h.clock.add(49 * time.Hour)
	if err := h.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.wantNoBlobs(t)
}

// TestLate: what took too long to store must not be listed, because it may be deleted.
func TestLate(t *testing.T) {
	h := newHost(t, maintenance.Options{})
	m := h.model(t, "payments")
	m.grow(t, h, 2, 100)
	large := commit(t, text(20_000), m.refs[master])
	data, err := pack.Encode(large.objects)
	if err != nil {
		t.Fatal(err)
	}
	slow := &slowStore{Store: h.house.Blobs, wait: func() { h.clock.add(repo.MaxPublish + time.Second) }}
	h.house.Blobs = slow
	in := codecommit.GitPushInput{RepositoryName: "payments", Pack: bytes.NewReader(data),
		Commands: []codecommit.RefCommand{{Ref: master, Old: m.refs[master], New: large.id}}}
	if out, err := op.Invoke(t.Context(), h.doors, caller(), h.service.GitPush(), &in); err == nil {
		t.Errorf("a push that took more than an hour to store was accepted: %+v", out)
	}
	if err := h.Force(t.Context(), m.id); err == nil {
		t.Error("a consolidation that took more than an hour to store was committed")
	}
	h.house.Blobs = slow.Store
	h.wantNoBlobs(t)
	h.holds(t, m)
	if notes := h.clean(t); len(notes) != 0 {
		t.Errorf("left behind: %v", notes)
	}
}

// TestGrace: what is dead or has no row stays for the grace period, and not longer.
func TestGrace(t *testing.T) {
	h := newHost(t, maintenance.Options{Packs: 3})
	m := h.model(t, "payments")
	gone := h.model(t, "gone")
	m.grow(t, h, 3, 8000)
	gone.grow(t, h, 1, 8000)
	if err := h.Look(t.Context(), m.id); err != nil {
		t.Fatal(err)
	}
	h.deleteRepository(t, gone)
	if err := h.blobs.Put(t.Context(), string(m.id)+"/01ORPHAN.pack", strings.NewReader("half a push"), 11); err != nil {
		t.Fatal(err)
	}
	runs, err := filepath.Glob(filepath.Join(h.folder, "cache", "~incoming", "*"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("folders of runs: %v (%v), want one", runs, err)
	}
	leftover := filepath.Join(runs[0], "01000000000000000000000000", "objects")
	if err := os.MkdirAll(leftover, 0o700); err != nil {
		t.Fatal(err)
	}
	h.clock.add(47 * time.Hour)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if notes := h.clean(t); len(notes) != 5 {
		t.Errorf("within the grace period fsck notes %v, want 4 dead packs and an orphan", notes)
	}
	if _, err := os.Stat(leftover); !os.IsNotExist(err) {
		t.Errorf("a folder of years ago is still there (%v)", err)
	}
	h.clock.add(25 * time.Hour) // a day after the last look for orphans
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if notes := h.clean(t); len(notes) != 0 {
		t.Errorf("after the grace period fsck notes %v", notes)
	}
	if n, _ := h.happened(maintenance.DeadDeleted); n != 4 {
		t.Errorf("%d dead packs were deleted, want 4", n)
	}
	if n, _ := h.happened(maintenance.OrphanDeleted); n != 1 {
		t.Errorf("%d orphans were deleted, want 1", n)
	}
	h.holds(t, m)
	h.reopen(t)
	h.holds(t, m)
}

// TestOldSnapshot: who still has the list of packs from before reads on, from the new
// one, and after a restart from the dead ones.
func TestOldSnapshot(t *testing.T) {
	h := newHost(t, maintenance.Options{Packs: 3})
	m := h.model(t, "payments")
	m.grow(t, h, 2, 100)
	m.grow(t, h, 1, 8000)
	before, err := h.Store.Snapshot(t.Context(), m.id)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Look(t.Context(), m.id); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		o, err := h.house.Objects(t.Context(), before)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.Commit(t.Context(), m.refs[master]); err != nil {
			t.Error(err)
		}
		_ = o.Close()
		h.reopen(t)
	}
}

// TestLeases: a reader that began before keeps the packs it may have open.
func TestLeases(t *testing.T) {
	h := newHost(t, maintenance.Options{Packs: 3})
	m := h.model(t, "payments")
	m.grow(t, h, 3, 100)
	snap, err := h.Store.Snapshot(t.Context(), m.id)
	if err != nil {
		t.Fatal(err)
	}
	early, err := h.house.Objects(t.Context(), snap)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := early.Commit(t.Context(), m.refs[master]); err != nil {
		t.Fatal(err)
	}
	if err := h.Look(t.Context(), m.id); err != nil {
		t.Fatal(err)
	}
	cached := func(ext string) int {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(h.folder, "cache", string(m.id), "objects", "pack", "*"+ext))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	if cached(".pack") != 4 || cached(".idx") != 1 {
		t.Errorf("while somebody reads the cache has %d packs and %d indexes, want 4 and 1", cached(".pack"), cached(".idx"))
	}
	late, err := h.house.Objects(t.Context(), snap)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []*repo.Objects{early, late} {
		for _, id := range m.commits {
			if _, err := o.Commit(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
	}
	_ = early.Close()
	_ = early.Close() // once counts
	if cached(".pack") != 1 {
		t.Errorf("the cache has %d packs, want one: who began later cannot know the others", cached(".pack"))
	}
	if _, err := late.Commit(t.Context(), m.commits[0]); err != nil {
		t.Error(err)
	}
	_ = late.Close()
}

// TestPackAdded: the worker looks when it can be due, and not at each push.
func TestPackAdded(t *testing.T) {
	h := newHost(t, maintenance.Options{Packs: 6, Interval: time.Hour})
	looks := &countedLooks{Store: h.Store, looked: make(chan repo.ID, 100)}
	h.Store = looks
	m := h.model(t, "payments")
	h.service.PackAdded = h.PackAdded
	ctx, end := contextWithCancel(t)
	ended := make(chan struct{})
	go func() { defer close(ended); h.Run(ctx) }()
	m.grow(t, h, 1, 100)
	<-looks.looked // one never seen
	m.grow(t, h, 4, 100)
	if n := len(h.packs(t, m.id)); n != 5 {
		t.Errorf("%d packs, want 5", n)
	}
	select {
	case <-looks.looked:
		t.Error("it looked although nothing can be due")
	default:
	}
	m.grow(t, h, 1, 100)
	<-looks.looked // finds that it is due
	<-looks.looked // and afterwards that nothing more is
	end()
	<-ended
	if n := len(h.packs(t, m.id)); n != 1 {
		t.Errorf("%d packs, want 1", n)
	}
	h.holds(t, m)
}

// TestCancelled: a host that is told to stop does not wait for maintenance.
func TestCancelled(t *testing.T) {
	h := newHost(t, maintenance.Options{Packs: 3})
	m := h.model(t, "payments")
	m.grow(t, h, 3, 100)
	ctx, end := contextWithCancel(t)
	end()
	if err := h.Look(ctx, m.id); err == nil {
		t.Error("it worked after the end")
	}
	if n, _ := h.happened(maintenance.Failed); n != 0 {
		t.Error("a stop is no failure")
	}
	if err := h.Look(t.Context(), m.id); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(h.folder, "cache", "~incoming", "*", "*")); err != nil || len(left) != 0 {
		t.Errorf("left in scratch: %v (%v)", left, err)
	}
}

// TestFailedIsLeftAlone: a repository that cannot be consolidated is not tried again and
// again, and does not stop the others.
func TestFailedIsLeftAlone(t *testing.T) {
	h := newHost(t, maintenance.Options{Packs: 3})
	broken, sound := h.model(t, "broken"), h.model(t, "sound")
	broken.grow(t, h, 3, 8000)
	sound.grow(t, h, 3, 8000)
	p := h.packs(t, broken.id)[1]
	if err := h.blobs.Delete(t.Context(), p.Key+".pack"); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(h.folder, "cache", string(broken.id))); err != nil {
		t.Fatal(err)
	}
	h.reopen(t)
	failures := func() int {
		t.Helper()
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		n, _ := h.happened(maintenance.Failed)
		return n
	}
	if n := failures(); n != 1 {
		t.Errorf("%d failures, want 1", n)
	}
	if n := len(h.packs(t, sound.id)); n != 1 {
		t.Errorf("the sound repository has %d packs, want 1", n)
	}
	if n := failures(); n != 1 {
		t.Errorf("%d failures at once after the first, want 1", n)
	}
	h.clock.add(61 * time.Minute)
	if n := failures(); n != 2 {
		t.Errorf("%d failures an hour later, want 2", n)
	}
}

// TestOptions: what cannot be meant is refused.
func TestOptions(t *testing.T) {
	for _, o := range []maintenance.Options{{Packs: 1}, {Packs: -1}, {Grace: time.Minute}, {Interval: -1}, {FrozenBytes: -1}} {
		if o.Check() == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	if err := (maintenance.Options{}).Check(); err != nil {
		t.Error(err)
	}
}
