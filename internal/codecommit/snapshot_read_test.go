package codecommit_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
)

// TestLoadSeesWhatWasAcknowledged: while two move refs of one repository, no reader finds
// a ref behind a move that was acknowledged before, or that anybody saw before; and what
// it finds is the snapshot of one generation.
func TestLoadSeesWhatWasAcknowledged(t *testing.T) {
	h := newHost(t)
	r := h.repository(t, "busy")
	const writers, moves = 2, 60
	number := func(n int64) (id oid.ID) {
		binary.BigEndian.PutUint64(id[:], uint64(n))
		return id
	}
	name := func(w int) refname.Name { return refname.Branch(fmt.Sprint("b", w)) }
	var known [writers]atomic.Int64
	raise := func(w int, n int64) {
		for old := known[w].Load(); old < n && !known[w].CompareAndSwap(old, n); old = known[w].Load() {
		}
	}
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		reading.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				var least [writers]int64
				for w := range writers {
					least[w] = known[w].Load()
				}
				row, snap, err := h.Load(t.Context(), "busy")
				if err != nil || row.Gen != snap.Gen {
					t.Errorf("row of generation %d, snapshot %+v (%v)", row.Gen, snap, err)
					return
				}
				sum := int64(0)
				for w := range writers {
					ref, _ := snap.Ref(name(w))
					n := int64(binary.BigEndian.Uint64(ref.OID[:]))
					if n < least[w] {
						t.Errorf("%s is at %d, and %d was known before", name(w), n, least[w])
						return
					}
					raise(w, n)
					sum += n
				}
				if sum != snap.Gen { // each move adds one to its ref and to the generation
					t.Errorf("refs of %d moves in generation %d", sum, snap.Gen)
					return
				}
			}
		})
	}
	for w := range writers {
		writing.Go(func() {
			for n := range int64(moves) {
				err := h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
					gen, err := tx.Advance(ctx, r.ID, r.Epoch, now)
					if err != nil {
						return err
					}
					return tx.SwapRef(ctx, r.ID, gen, codecommit.RefMove{Ref: name(w), Old: number(n), New: number(n + 1)})
				})
				if err != nil {
					t.Error(err)
					return
				}
				raise(w, n+1)
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	if _, snap, err := h.Load(t.Context(), "busy"); err != nil || snap.Gen != writers*moves {
		t.Errorf("the last generation is %+v (%v)", snap, err)
	}
}

// TestSnapshotByID: the host's upkeep sees a move that was acknowledged.
func TestSnapshotByID(t *testing.T) {
	h := newHost(t)
	r := h.repository(t, "known")
	id := oid.ID{1}
	err := h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		gen, err := tx.Advance(ctx, r.ID, r.Epoch, now)
		if err != nil {
			return err
		}
		return tx.SwapRef(ctx, r.ID, gen, codecommit.RefMove{Ref: "refs/heads/main", New: id})
	})
	if err != nil {
		t.Fatal(err)
	}
	snap, err := h.Snapshot(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	if ref, ok := snap.Ref("refs/heads/main"); !ok || ref.OID != id || snap.ID != r.ID {
		t.Errorf("got %+v", snap)
	}
	if _, err := h.Snapshot(t.Context(), "none"); !errors.Is(err, codecommit.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
