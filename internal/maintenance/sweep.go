package maintenance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/refward/refward/internal/repo"
)

const (
	// orphanInterval is the time between two looks for blobs without a row, each of which
	// lists all blobs.
	orphanInterval = 24 * time.Hour

	// pageSize is how many rows are read at once.
	pageSize = 500
)

// Sweep consolidates every repository that is due, and then deletes what has been dead
// for the grace period. It goes on after a repository that fails, which is logged.
func (w *Worker) Sweep(ctx context.Context) error {
	o := w.withDefaults()
	after := repo.ID("")
	for {
		page, err := w.Store.Crowded(ctx, after, o.Packs, o.BitmapBytes, pageSize)
		if err != nil {
			return fmt.Errorf("list repositories to maintain: %w", err)
		}
		for _, id := range page {
			if err := ctx.Err(); err != nil {
				return err
			}
			w.try(ctx, id)
			after = id
		}
		if len(page) < pageSize {
			break
		}
	}
	return w.Delete(ctx)
}

// Delete deletes what has been dead for the grace period: packs that were replaced or
// whose repository is gone, objects of Git LFS whose repository is gone, blobs that no row
// names, folders that were left behind.
func (w *Worker) Delete(ctx context.Context) error {
	o := w.withDefaults()
	errs := []error{w.deleteDead(ctx, o.Grace), w.deleteDeadLFS(ctx, o.Grace)}
	if w.orphans.IsZero() || w.Now().Sub(w.orphans) >= orphanInterval {
		err := w.deleteOrphans(ctx, o.Grace)
		if err == nil {
			w.orphans = w.Now()
		}
		errs = append(errs, err)
	}
	n, err := w.House.RemoveLeftovers(o.Grace)
	if n > 0 {
		w.observe(Event{Kind: TemporaryDeleted, Count: n})
	}
	return errors.Join(append(errs, err)...)
}

// deleteDead deletes blobs first and the row after them: whatever happens in between,
// the row still says what to delete.
func (w *Worker) deleteDead(ctx context.Context, grace time.Duration) error {
	for {
		page, err := w.Store.DeadPacks(ctx, w.Now().Add(-grace), pageSize)
		if err != nil {
			return fmt.Errorf("list dead packs: %w", err)
		}
		for _, d := range page {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !d.Pack.IsInline() {
				if err := w.House.DeletePack(ctx, d.Pack.Key); err != nil {
					return fmt.Errorf("delete the dead pack %s of %s: %w", d.Pack.ID, d.Repository, err)
				}
			}
			if err := w.Store.DropPack(ctx, d.Repository, d.Pack.ID); err != nil {
				return fmt.Errorf("forget the dead pack %s of %s: %w", d.Pack.ID, d.Repository, err)
			}
			w.observe(Event{Kind: DeadDeleted, Count: 1, Bytes: d.Pack.Size})
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

// deleteDeadLFS deletes blobs first and their rows after them, as deleteDead.
func (w *Worker) deleteDeadLFS(ctx context.Context, grace time.Duration) error {
	for {
		page, err := w.Store.DeadLFS(ctx, w.Now().Add(-grace), pageSize)
		if err != nil {
			return fmt.Errorf("list dead objects of Git LFS: %w", err)
		}
		var keys []string
		for _, d := range page {
			if err := ctx.Err(); err != nil {
				return err
			}
			size := int64(0)
			if info, err := w.House.Blobs.Stat(ctx, d.Key); err == nil {
				size = info.Size
			}
			if err := w.House.DeleteLFS(ctx, d.Key); err != nil {
				return fmt.Errorf("delete the dead object %s: %w", d.Key, err)
			}
			keys = append(keys, d.Key)
			w.observe(Event{Kind: DeadDeleted, Count: 1, Bytes: size})
		}
		if err := w.Store.DropLFS(ctx, keys...); err != nil {
			return fmt.Errorf("forget dead objects of Git LFS: %w", err)
		}
		if len(page) < pageSize {
			return nil
		}
	}
}

func (w *Worker) deleteOrphans(ctx context.Context, grace time.Duration) error {
	var failed error
	found, err := w.House.Orphans(ctx, func(key string) bool {
		listed, err := w.Store.Listed(ctx, key)
		failed = errors.Join(failed, err)
		return listed || err != nil
	}, grace)
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	for _, b := range found {
		if err := w.House.Blobs.Delete(ctx, b.Key); err != nil {
			return fmt.Errorf("delete an orphan: %w", err)
		}
		w.observe(Event{Kind: OrphanDeleted, Count: 1, Bytes: b.Size})
		w.Log.InfoContext(ctx, "deleted a blob that no row names", "key", b.Key, "bytes", b.Size, "created", b.Created)
	}
	return nil
}
