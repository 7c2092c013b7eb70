package maintenance_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/maintenance"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

func lfsInput(m *model, content string) codecommit.GitLFSObjectInput {
	return codecommit.GitLFSObjectInput{
		RepositoryName: m.name, RepositoryID: m.id, Content: strings.NewReader(content),
		Object: lfs.Object{OID: sha256.Sum256([]byte(content)), Size: int64(len(content))},
	}
}

// upload stores an object of Git LFS, by the operation that a client's upload runs.
func (h *host) upload(t testing.TB, m *model, content string) {
	t.Helper()
	in := lfsInput(m, content)
	if _, err := op.Invoke(t.Context(), h.doors, caller(), h.service.GitLFSPutObject(), &in); err != nil {
		t.Fatal(err)
	}
}

// orphan stores an object of Git LFS as an upload does that dies before its row.
func (h *host) orphan(t testing.TB, m *model, content string) {
	t.Helper()
	in := lfsInput(m, content)
	if _, err := h.house.PutLFS(t.Context(), m.id, in.Object, in.Content); err != nil {
		t.Fatal(err)
	}
}

// lfsBlobs reads what is stored of a repository's objects.
func (h *host) lfsBlobs(t testing.TB, m *model) string {
	t.Helper()
	var all []string
	err := h.blobs.List(t.Context(), string(m.id)+"/lfs/", func(i blob.Info) bool {
		r, err := h.blobs.Get(t.Context(), i.Key)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(b))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

// TestLFSGrace: objects of Git LFS without a row, and those of deleted repositories, stay
// for the grace period and not longer; all others stay, whether a commit needs them or not.
func TestLFSGrace(t *testing.T) {
	h := newHost(t, maintenance.Options{})
	m, gone := h.model(t, "payments"), h.model(t, "gone")
	for _, content := range []string{"", "kept"} {
		h.upload(t, m, content)
	}
	h.orphan(t, m, "orphan")
	h.orphan(t, m, "kept") // as an upload that was slower than its twin
	h.upload(t, gone, "dead")
	h.clock.add(time.Hour)
	h.deleteRepository(t, gone)
	want := func(when, live, dead string) {
		t.Helper()
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := h.lfsBlobs(t, m); len(got) != len(live) || got != live && strings.Count(got, "kept") != strings.Count(live, "kept") {
			t.Errorf("%s there is %q of the repository, want %q", when, got, live)
		}
		if got := h.lfsBlobs(t, gone); got != dead {
			t.Errorf("%s there is %q of the deleted one, want %q", when, got, dead)
		}
	}
	const all = "kept orphan kept "
	want("at once", all, "dead")
	h.clock.add(46 * time.Hour)
	want("before the grace period is over", all, "dead")
	if notes := h.clean(t); len(notes) != 3 {
		t.Errorf("within the grace period fsck notes %v, want two orphans and a dead object", notes)
	}
	h.clock.add(time.Hour)
	want("before the deletion is as old", all, "dead")
	h.clock.add(23 * time.Hour) // a day after the last look for orphans
	want("after the grace period", "kept ", "")
	if n, items := h.happened(maintenance.OrphanDeleted); n != 2 || items != 2 {
		t.Errorf("%d orphans were deleted, want 2", n)
	}
	if n, _ := h.happened(maintenance.DeadDeleted); n != 1 {
		t.Errorf("%d dead objects were deleted, want 1", n)
	}
	h.clock.add(1000 * time.Hour)
	h.reopen(t)
	want("much later", "kept ", "")
	if notes := h.clean(t); len(notes) != 0 {
		t.Errorf("left in the end: %v", notes)
	}
	in := lfsInput(m, "kept")
	out, err := op.Invoke(t.Context(), h.doors, caller(), h.service.GitLFSGetObject(), &in)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(out.Content); err != nil || string(b) != "kept" {
		t.Errorf("read %q, %v", b, err)
	}
	if err := out.Content.Close(); err != nil {
		t.Error(err)
	}
}

// TestLFSLate: an object whose row takes too long is not listed, because its blob may be
// taken for an orphan by then.
func TestLFSLate(t *testing.T) {
	h := newHost(t, maintenance.Options{})
	m := h.model(t, "payments")
	store := h.service.Store
	h.service.Store = lateStore{store, func() { h.clock.add(repo.MaxPublish + time.Second) }}
	in := lfsInput(m, "late")
	if _, err := op.Invoke(t.Context(), h.doors, caller(), h.service.GitLFSPutObject(), &in); err == nil {
		t.Error("it was accepted")
	}
	h.service.Store = store
	if got := h.lfsBlobs(t, m); got != "" {
		t.Errorf("it left %q", got)
	}
	h.upload(t, m, "late")
}

// lateStore lets time go by before an update.
type lateStore struct {
	codecommit.Store
	wait func()
}

func (s lateStore) Update(ctx context.Context, f func(context.Context, codecommit.Tx) error) error {
	s.wait()
	return s.Store.Update(ctx, f)
}

// TestLFSKilled: the deletion of dead objects is killed at each of its changes in turn, and
// done by the next sweep.
func TestLFSKilled(t *testing.T) {
	for _, made := range []bool{false, true} {
		for n := 1; ; n++ {
			h := newHost(t, maintenance.Options{})
			gone := h.model(t, "gone")
			for i := range 3 {
				h.upload(t, gone, fmt.Sprint(i))
			}
			h.deleteRepository(t, gone)
			h.clock.add(49 * time.Hour)
			h.faults.kill(n, made)
			err := h.Sweep(t.Context())
			if !h.faults.killed() {
				if err != nil || n < 4 {
					t.Errorf("%d changes, %v", n-1, err)
				}
				break
			}
			h.faults.kill(0, false)
			h.reopen(t)
			if err := h.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			dead, err := h.db.Maintenance().DeadLFS(t.Context(), h.clock.Now(), 10)
			if got := h.lfsBlobs(t, gone); err != nil || got != "" || len(dead) != 0 {
				t.Errorf("killed at %d (made %v): there is %q, listed %v (%v)", n, made, got, dead, err)
			}
		}
	}
}
