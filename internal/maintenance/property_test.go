package maintenance_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/maintenance"
	"github.com/refward/refward/internal/op"
)

// TestAnyOrder: pushes of every kind, maintenance, restarts and time, in any order,
// against a model that keeps everything.
func TestAnyOrder(t *testing.T) {
	seeds := uint64(4)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			h := newHost(t, maintenance.Options{Packs: 4, BitmapBytes: 30_000, FrozenBytes: 60_000})
			m := h.model(t, "payments")
			r := rand.New(rand.NewPCG(seed, 7))
			m.grow(t, h, 1, 100)
			for range 60 {
				step(t, h, m, r)
			}
			h.clean(t)
			h.holds(t, m)
			before := h.mirror(t, m)
			if err := h.Force(t.Context(), m.id); err != nil {
				t.Fatal(err)
			}
			if after := h.mirror(t, m); after != before {
				t.Errorf("a mirror was\n%s\nand is\n%s", before, after)
			}
			h.clock.add(80 * time.Hour)
			if err := h.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			h.reopen(t)
			h.holds(t, m)
			if after := h.mirror(t, m); after != before {
				t.Errorf("after a restart a mirror was\n%s\nand is\n%s", before, after)
			}
			if notes := h.clean(t); len(notes) != 0 {
				t.Errorf("left in the end: %v", notes)
			}
		})
	}
}

// step does one thing by chance.
func step(t *testing.T, h *host, m *model, r *rand.Rand) {
	t.Helper()
	any := func() oid.ID { return m.commits[r.IntN(len(m.commits))] }
	branch := refname.Branch(fmt.Sprint("b", r.IntN(5)))
	switch n := r.IntN(20); {
	case n < 7: // a commit, on the branch or forced to another history
		size := 100
		if r.IntN(4) == 0 {
			size = 8000 + r.IntN(40_000)
		}
		parents := []oid.ID{any()}
		if tip, ok := m.refs[branch]; ok && r.IntN(3) > 0 {
			parents = []oid.ID{tip}
		} else if r.IntN(5) == 0 {
			parents = nil
		}
		if other := any(); r.IntN(6) == 0 && len(parents) == 1 && other != parents[0] {
			parents = append(parents, other)
		}
		m.move(t, h, branch, commit(t, text(size), parents...))
	case n < 9: // without objects, to any commit there ever was
		if to := any(); m.refs[branch] != to {
			m.move(t, h, branch, made{id: to})
		}
	case n < 11:
		if _, ok := m.refs[branch]; ok {
			m.move(t, h, branch, made{})
		}
	case n < 12:
		name := fmt.Sprint("t", len(m.objects))
		m.move(t, h, refname.Name("refs/tags/"+name), annotated(name, any()))
	case n < 15:
		if err := h.Look(t.Context(), m.id); err != nil {
			t.Fatal(err)
		}
	case n < 16:
		if err := h.Force(t.Context(), m.id); err != nil {
			t.Fatal(err)
		}
	case n < 18:
		h.clock.add(time.Duration(r.IntN(40)) * time.Hour)
		if err := h.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	case n < 19:
		h.reopen(t)
	default:
		h.holds(t, m)
	}
}

// TestTogether: several push, several read and maintenance never stops.
func TestTogether(t *testing.T) {
	const pushers, pushes = 4, 12
	h := newHost(t, maintenance.Options{Packs: 3})
	m := h.model(t, "payments")
	m.grow(t, h, 1, 100)
	base := m.refs[master]

	var acknowledged sync.Map // oid.ID -> nothing: commits that readers may ask for
	acknowledged.Store(base, nil)
	var done atomic.Bool
	var work, rest sync.WaitGroup
	histories := make([][]made, pushers)
	for i := range pushers {
		for n := range pushes { // made here: text is not for several goroutines
			parent := base
			if n > 0 {
				parent = histories[i][n-1].id
			}
			histories[i] = append(histories[i], commit(t, text(50+n*n*60), parent))
		}
		work.Go(func() {
			old := oid.Zero
			for _, c := range histories[i] {
				if err := h.tryPush(t, "payments", c, codecommit.RefCommand{Ref: refname.Branch(fmt.Sprint("b", i)), Old: old, New: c.id}); err != nil {
					t.Error(err)
					return
				}
				old = c.id
				acknowledged.Store(c.id, nil)
			}
		})
	}
	for range 2 {
		rest.Go(func() {
			for !done.Load() {
				if err := readAll(t, h, m, &acknowledged); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	rest.Go(func() {
		for !done.Load() {
			if err := h.Look(t.Context(), m.id); err != nil {
				t.Error(err)
				return
			}
		}
	})
	work.Wait()
	done.Store(true)
	rest.Wait()
	for i, history := range histories {
		for _, c := range history {
			m.moved(refname.Branch(fmt.Sprint("b", i)), c)
		}
	}
	if n, _ := h.happened(maintenance.Consolidated); n < 3 {
		t.Errorf("maintenance consolidated %d times: it was not in anybody's way", n)
	}
	h.holds(t, m)
	h.clean(t)
	h.mirror(t, m)
	if err := h.Force(t.Context(), m.id); err != nil {
		t.Fatal(err)
	}
	p := h.packs(t, m.id)[0].ID
	h.wantCached(t, m, p+".bitmap", p+".idx", p+".pack", p+".rev") // every lease has ended
}

// tryPush is push for goroutines that are not the test's.
func (h *host) tryPush(t *testing.T, name string, c made, commands ...codecommit.RefCommand) error {
	data, err := pack.Encode(c.objects)
	if err != nil {
		return err
	}
	in := codecommit.GitPushInput{RepositoryName: name, Commands: commands, Pack: bytes.NewReader(data), Progress: io.Discard}
	out, err := op.Invoke(t.Context(), h.doors, caller(), h.service.GitPush(), &in)
	if err != nil {
		return err
	}
	for _, r := range out.Results {
		if r.Reason != "" {
			return errors.New(r.Reason)
		}
	}
	return nil
}

// readAll reads every commit that was acknowledged before it began.
func readAll(t *testing.T, h *host, m *model, acknowledged *sync.Map) (err error) {
	ids := map[oid.ID]bool{}
	acknowledged.Range(func(id, _ any) bool {
		ids[id.(oid.ID)] = true
		return true
	})
	snap, err := h.Store.Snapshot(t.Context(), m.id)
	if err != nil {
		return err
	}
	o, err := h.house.Objects(t.Context(), snap)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	for _, id := range slices.Collect(maps.Keys(ids)) {
		if _, err := o.Commit(t.Context(), id); err != nil {
			return err
		}
	}
	return nil
}
