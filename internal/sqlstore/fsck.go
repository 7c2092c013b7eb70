package sqlstore

import (
	"context"
	"fmt"

	"github.com/refward/refward/internal/fsck"
	"github.com/refward/refward/internal/repo"
)

// Fsck returns the store of package fsck.
func (db *DB) Fsck() fsck.Store {
	return fsckStore{codecommitStore: codecommitStore{db}, maintenanceStore: maintenanceStore{db}, db: db}
}

// fsckStore implements [fsck.Store]: PackData as the domain has it, Snapshot and Listed
// as maintenance has them.
type fsckStore struct {
	codecommitStore
	maintenanceStore
	db *DB
}

// strays are the queries for rows whose repository has no row.
var strays = []struct{ what, query string }{
	{"the live pack %s of no repository", `SELECT repo_id || '/' || pack_id FROM pack AS p WHERE dead_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM repository AS r WHERE r.repo_id = p.repo_id) ORDER BY repo_id, pack_id LIMIT 100`},
	{"the ref of a repository %s that does not exist", `SELECT DISTINCT repo_id FROM ref AS f
		WHERE NOT EXISTS (SELECT 1 FROM repository AS r WHERE r.repo_id = f.repo_id) ORDER BY repo_id LIMIT 100`},
	{"the objects of Git LFS of a repository %s that does not exist", `SELECT DISTINCT repo_id FROM lfs_object AS o
		WHERE NOT EXISTS (SELECT 1 FROM repository AS r WHERE r.repo_id = o.repo_id) ORDER BY repo_id LIMIT 100`},
	{"the locks of a repository %s that does not exist", `SELECT DISTINCT repo_id FROM lfs_lock AS l
		WHERE NOT EXISTS (SELECT 1 FROM repository AS r WHERE r.repo_id = l.repo_id) ORDER BY repo_id LIMIT 100`},
}

func (s fsckStore) Integrity(ctx context.Context) (wrong []string, err error) {
	err = s.db.view(ctx, func(ctx context.Context, q querier) (err error) {
		if wrong, err = s.db.dialect.integrity(ctx, q); err != nil {
			return err
		}
		for _, stray := range strays {
			found, err := collect(ctx, q, func(scan func(...any) error) (key string, err error) { return key, scan(&key) }, stray.query)
			if err != nil {
				return err
			}
			for _, key := range found {
				wrong = append(wrong, fmt.Sprintf(stray.what, key))
			}
		}
		return nil
	})
	return wrong, err
}

func (s fsckStore) Repositories(ctx context.Context, after repo.ID, limit int) (all []fsck.Repository, err error) {
	err = s.db.once(ctx, func(ctx context.Context, q querier) (err error) {
		all, err = collect(ctx, q, func(scan func(...any) error) (r fsck.Repository, err error) {
			return r, scan(&r.ID, &r.Account, &r.Name)
		}, `SELECT repo_id, account_id, name FROM repository WHERE repo_id > $1 ORDER BY repo_id LIMIT $2`, after, limit)
		return err
	})
	return all, err
}

const selectHistory = `SELECT gen, seq, ref, old_oid, new_oid, peeled FROM ref_event WHERE repo_id = $1 ORDER BY ref, gen, seq`

func (s fsckStore) RefEvents(ctx context.Context, id repo.ID, yield func(fsck.RefEvent) error) error {
	return s.db.once(ctx, func(ctx context.Context, q querier) error {
		return q.each(ctx, selectHistory, []any{id}, func(scan func(...any) error) error {
			var e fsck.RefEvent
			if err := scan(&e.Gen, &e.Seq, &e.Ref, oidColumn{&e.Old}, oidColumn{&e.New}, oidColumn{&e.Peeled}); err != nil {
				return err
			}
			return yield(e)
		})
	})
}

func (s fsckStore) Dead(ctx context.Context, limit int) (all []fsck.DeadPack, err error) {
	err = s.db.once(ctx, func(ctx context.Context, q querier) (err error) {
		all, err = collect(ctx, q, func(scan func(...any) error) (d fsck.DeadPack, err error) {
			var died int64
			err = scan(&d.Repository, &d.ID, &d.Size, &died)
			d.Died = fromMillis(died)
			return d, err
		}, `SELECT repo_id, pack_id, size, dead_at FROM pack WHERE dead_at IS NOT NULL ORDER BY dead_at, repo_id, pack_id LIMIT $1`, limit)
		return err
	})
	return all, err
}

const selectLFSObjects = `SELECT oid, size, blob FROM lfs_object WHERE repo_id = $1 AND oid > $2 ORDER BY oid LIMIT $3`

func (s fsckStore) LFSObjects(ctx context.Context, id repo.ID, after []byte, limit int) (all []fsck.LFSObject, err error) {
	err = s.db.once(ctx, func(ctx context.Context, q querier) (err error) {
		all, err = collect(ctx, q, func(scan func(...any) error) (o fsck.LFSObject, err error) {
			err = scan(&o.OID, &o.Size, &o.Key)
			return o, err
		}, selectLFSObjects, id, after, limit)
		return err
	})
	return all, err
}

func (s fsckStore) DeadObjects(ctx context.Context, limit int) (all []fsck.DeadLFS, err error) {
	err = s.db.once(ctx, func(ctx context.Context, q querier) (err error) {
		all, err = collect(ctx, q, func(scan func(...any) error) (d fsck.DeadLFS, err error) {
			var died int64
			err = scan(&d.Key, &died)
			d.Died = fromMillis(died)
			return d, err
		}, `SELECT blob, dead_at FROM lfs_garbage ORDER BY blob LIMIT $1`, limit)
		return err
	})
	return all, err
}
