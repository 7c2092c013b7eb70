package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/maintenance"
	"github.com/refward/refward/internal/repo"
)

// Maintenance returns the store of package maintenance.
func (db *DB) Maintenance() maintenance.Store { return maintenanceStore{db} }

// maintenanceStore implements [maintenance.Store].
type maintenanceStore struct{ db *DB }

const selectCrowded = `SELECT repo_id FROM pack WHERE repo_id > $1 AND dead_at IS NULL
	GROUP BY repo_id HAVING count(*) >= $2 OR max(size) >= $3 ORDER BY repo_id LIMIT $4`

func (s maintenanceStore) Crowded(ctx context.Context, after repo.ID, packs int, bytes int64, limit int) (found []repo.ID, err error) {
	err = s.db.once(ctx, func(ctx context.Context, q querier) (err error) {
		found, err = collect(ctx, q, func(scan func(...any) error) (id repo.ID, err error) {
			return id, scan(&id)
		}, selectCrowded, after, packs, bytes, limit)
		return err
	})
	return found, err
}

func (s maintenanceStore) Packs(ctx context.Context, id repo.ID) (packs []repo.Pack, err error) {
	err = s.db.once(ctx, func(ctx context.Context, q querier) (err error) {
		packs, err = codecommitTx{q}.Packs(ctx, id)
		return err
	})
	return packs, err
}

func (s maintenanceStore) Snapshot(ctx context.Context, id repo.ID) (snap *repo.Snapshot, err error) {
	err = s.db.view(ctx, func(ctx context.Context, q querier) (err error) {
		snap, err = readSnapshot(ctx, codecommitTx{q}, id)
		return err
	})
	if errors.Is(err, codecommit.ErrNotFound) {
		err = fmt.Errorf("%w: %w", maintenance.ErrNotFound, err)
	}
	return snap, err
}

func readSnapshot(ctx context.Context, t codecommitTx, id repo.ID) (*repo.Snapshot, error) {
	r, err := t.RepositoryByID(ctx, id)
	if err != nil {
		return nil, err
	}
	refs, err := t.Refs(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	packs, err := t.Packs(ctx, id)
	if err != nil {
		return nil, err
	}
	return &repo.Snapshot{ID: id, Gen: r.Gen, Epoch: r.Epoch, Head: r.Head, Refs: repo.NewRefs(refs), Packs: packs}, nil
}

// Replace is a compare-and-swap by row counts, as that of a ref. The time of the last
// change of the repository stays: to its users nothing has changed.
func (s maintenanceStore) Replace(ctx context.Context, id repo.ID, epoch int64, packIDs []string, by repo.Pack, at time.Time) error {
	return s.db.update(ctx, func(ctx context.Context, q querier) error {
		var gen int64
		err := q.one(ctx, `UPDATE repository SET gen = gen + 1 WHERE repo_id = $1 AND epoch = $2 RETURNING gen`, []any{id, epoch}, &gen)
		if err != nil {
			return fmt.Errorf("advance repository %s at epoch %d: %w", id, epoch, translate(err, maintenance.ErrStale, nil))
		}
		for _, packID := range packIDs {
			live, err := q.swap(ctx, `UPDATE pack SET dead_at = $3 WHERE repo_id = $1 AND pack_id = $2 AND dead_at IS NULL`, id, packID, millis(at))
			if err != nil {
				return fmt.Errorf("replace pack %s: %w", packID, err)
			}
			if !live {
				return fmt.Errorf("replace pack %s: %w", packID, maintenance.ErrStale)
			}
		}
		return codecommitTx{q}.InsertPack(ctx, id, gen, by)
	})
}

const selectDeadPacks = `SELECT repo_id, dead_at, ` + packColumns + ` FROM pack
	WHERE dead_at IS NOT NULL AND dead_at <= $1 ORDER BY dead_at, repo_id, pack_id LIMIT $2`

func (s maintenanceStore) DeadPacks(ctx context.Context, before time.Time, limit int) (dead []maintenance.DeadPack, err error) {
	err = s.db.once(ctx, func(ctx context.Context, q querier) (err error) {
		dead, err = collect(ctx, q, func(scan func(...any) error) (d maintenance.DeadPack, err error) {
			var died, created int64
			err = scan(append([]any{&d.Repository, &died}, packFields(&d.Pack, &created)...)...)
			d.Died, d.Pack.Created = fromMillis(died), fromMillis(created)
			return d, err
		}, selectDeadPacks, millis(before), limit)
		return err
	})
	return dead, err
}

func (s maintenanceStore) DropPack(ctx context.Context, id repo.ID, packID string) error {
	return s.db.update(ctx, func(ctx context.Context, q querier) error {
		_, err := q.exec(ctx, `DELETE FROM pack WHERE repo_id = $1 AND pack_id = $2 AND dead_at IS NOT NULL`, id, packID)
		return err
	})
}

// selectDeadLFS reads the rows in the order of the key: there are few, and not for long.
const selectDeadLFS = `SELECT blob, dead_at FROM lfs_garbage WHERE dead_at <= $1 ORDER BY blob LIMIT $2`

func (s maintenanceStore) DeadLFS(ctx context.Context, before time.Time, limit int) (dead []maintenance.DeadLFS, err error) {
	err = s.db.once(ctx, func(ctx context.Context, q querier) (err error) {
		dead, err = collect(ctx, q, func(scan func(...any) error) (d maintenance.DeadLFS, err error) {
			var died int64
			err = scan(&d.Key, &died)
			d.Died = fromMillis(died)
			return d, err
		}, selectDeadLFS, millis(before), limit)
		return err
	})
	return dead, err
}

func (s maintenanceStore) DropLFS(ctx context.Context, keys ...string) error {
	return s.db.update(ctx, func(ctx context.Context, q querier) error {
		for _, key := range keys {
			if _, err := q.exec(ctx, `DELETE FROM lfs_garbage WHERE blob = $1`, key); err != nil {
				return fmt.Errorf("forget the blob %s: %w", key, err)
			}
		}
		return nil
	})
}

// Listed finds the row by what the key is made of. A key of another form is none that a
// pack or an object was given, and it is not ours to call it an orphan.
func (s maintenanceStore) Listed(ctx context.Context, key string) (listed bool, err error) {
	var queries []query
	id, packID, ok := strings.Cut(key, "/")
	if of, object, isLFS := repo.LFSKey(key); isLFS {
		// In this order: a row goes from the one table to the other.
		queries = append(queries, query{selectLFSBlob, []any{of, object[:], key}}, query{selectDeadLFSBlob, []any{key}})
	} else if ok && !strings.Contains(packID, "/") {
		queries = append(queries, query{selectPackBlob, []any{id, packID, key}})
	} else {
		return true, nil
	}
	err = s.db.once(ctx, func(ctx context.Context, q querier) error {
		for _, query := range queries {
			var one int
			err := q.one(ctx, query.text, query.args, &one)
			listed = err == nil
			if !errors.Is(err, errNoRow) {
				return err
			}
		}
		return nil
	})
	return listed, err
}

// query is a query with its arguments.
type query struct {
	text string
	args []any
}

const (
	selectPackBlob    = `SELECT 1 FROM pack WHERE repo_id = $1 AND pack_id = $2 AND blob = $3`
	selectLFSBlob     = `SELECT 1 FROM lfs_object WHERE repo_id = $1 AND oid = $2 AND blob = $3`
	selectDeadLFSBlob = `SELECT 1 FROM lfs_garbage WHERE blob = $1`
)
