package maintenance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/refward/refward/internal/failpoint"
	"github.com/refward/refward/internal/repo"
)

const (
	// consolidateTime bounds one consolidation.
	consolidateTime = 2 * time.Hour

	// lookAttempts is how often a consolidation is begun again when others were faster.
	lookAttempts = 8

	// lookTurn is how many consolidations of one repository may follow each other before
	// others have their turn.
	lookTurn = 8
)

// Look consolidates a repository as long as something is due. One that is pushed to faster
// than that waits for its next turn.
func (w *Worker) Look(ctx context.Context, id repo.ID) error {
	o := w.withDefaults()
	for done, overtaken := 0, 0; overtaken < lookAttempts; {
		if done == lookTurn {
			w.PackAdded(id)
			return nil
		}
		packs, err := w.Store.Packs(ctx, id)
		if err != nil {
			return fmt.Errorf("maintain %s: %w", id, err)
		}
		if len(o.plan(packs)) == 0 {
			w.spares(id, packs)
			return nil
		}
		err = w.consolidate(ctx, id, o.plan)
		switch {
		case errors.Is(err, ErrNotFound): // deleted
			return nil
		case errors.Is(err, ErrStale) || errors.Is(err, repo.ErrPackGone):
			w.observe(Event{Kind: Overtaken, Count: 1})
			overtaken++
		case err != nil:
			return fmt.Errorf("maintain %s: %w", id, err)
		default:
			done++
		}
	}
	return fmt.Errorf("maintain %s: %w", id, errOvertaken)
}

// Force makes one pack with a bitmap of all packs of a repository, due or not. One that
// is so already is left as it is.
func (w *Worker) Force(ctx context.Context, id repo.ID) error {
	err := w.consolidate(ctx, id, func(packs []repo.Pack) []string {
		if len(packs) == 0 || len(packs) == 1 && packs[0].Consolidated {
			return nil
		}
		return ids(packs)
	})
	if err != nil {
		return fmt.Errorf("maintain %s: %w", id, err)
	}
	return nil
}

// consolidate makes one pack of those that choose chooses. The order is that of a push:
// the pack is durable first, one transaction then lists it, and the cache follows.
func (w *Worker) consolidate(ctx context.Context, id repo.ID, choose func([]repo.Pack) []string) error {
	ctx, cancel := context.WithTimeout(ctx, consolidateTime)
	defer cancel()
	start := w.Now()
	snap, err := w.Store.Snapshot(ctx, id)
	if err != nil {
		return err
	}
	old := choose(snap.Packs)
	if len(old) == 0 {
		return nil
	}
	c, err := w.House.Consolidate(ctx, snap, old)
	if err != nil {
		return err
	}
	defer c.Discard()
	failpoint.Reach(failpoint.PacksMerged)
	p, err := c.Publish(ctx)
	if err != nil {
		return err
	}
	failpoint.Reach(failpoint.MergedStored)
	at := w.Now()
	if p.Late(at) {
		c.Abandon()
		return fmt.Errorf("the consolidated pack took longer to store than %v", repo.MaxPublish)
	}
	if err := w.Store.Replace(ctx, id, snap.Epoch, old, p, at); err != nil {
		if errors.Is(err, ErrStale) {
			c.Abandon() // else it is not known whether it has committed
		}
		return err
	}
	failpoint.Reach(failpoint.PacksReplaced)
	c.Committed(context.WithoutCancel(ctx))
	w.observe(Event{Kind: Consolidated, Count: len(old), Bytes: p.Size, Took: w.Now().Sub(start)})
	w.Log.InfoContext(ctx, "consolidated a repository", "repository", id, "packs", len(old), "of", len(snap.Packs),
		"objects", p.Objects, "bytes", p.Size, "bitmap", p.Bitmap, "took", w.Now().Sub(start).Round(time.Millisecond))
	return nil
}
