package sqlstore

import (
	"context"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/repo"
)

const selectLFSObject = `SELECT size, blob, created FROM lfs_object WHERE repo_id = $1 AND oid = $2`

func (t codecommitTx) LFSObject(ctx context.Context, id repo.ID, object lfs.OID) (codecommit.LFSObject, error) {
	o, err := readOne(ctx, t.q, func(scan func(...any) error) (o codecommit.LFSObject, err error) {
		var created int64
		err = scan(&o.Size, &o.Key, &created)
		o.OID, o.Created = object, fromMillis(created)
		return o, err
	}, selectLFSObject, id, object[:])
	return o, rowError(err, "object of Git LFS", object)
}

func (t codecommitTx) InsertLFSObject(ctx context.Context, id repo.ID, o codecommit.LFSObject) error {
	_, err := t.q.exec(ctx,
		`INSERT INTO lfs_object (repo_id, oid, size, blob, created) VALUES ($1, $2, $3, $4, $5)`,
		id, o.OID[:], o.Size, o.Key, millis(o.Created))
	return rowError(err, "object of Git LFS", o.OID)
}

const (
	selectLFSLockColumns = `SELECT lock_id, path, ref, owner_arn, owner_id, request_id, created FROM lfs_lock WHERE repo_id = $1`

	selectLFSLock   = selectLFSLockColumns + ` AND lock_id = $2`
	selectLFSLockOn = selectLFSLockColumns + ` AND path = $2`
	selectLFSLocks  = selectLFSLockColumns + ` AND path > $2 ORDER BY path LIMIT $3`
	countLFSLocks   = `SELECT count(*) FROM lfs_lock WHERE repo_id = $1`
)

func scanLFSLock(scan func(...any) error) (l codecommit.LFSLock, err error) {
	var created int64
	err = scan(&l.ID, &l.Path, &l.Ref, &l.OwnerARN, &l.OwnerID, &l.RequestID, &created)
	l.Created = fromMillis(created)
	return l, err
}

func (t codecommitTx) LFSLock(ctx context.Context, id repo.ID, lockID string) (codecommit.LFSLock, error) {
	l, err := readOne(ctx, t.q, scanLFSLock, selectLFSLock, id, lockID)
	return l, rowError(err, "lock", lockID)
}

func (t codecommitTx) LFSLockOn(ctx context.Context, id repo.ID, path string) (codecommit.LFSLock, error) {
	l, err := readOne(ctx, t.q, scanLFSLock, selectLFSLockOn, id, path)
	return l, rowError(err, "lock on", path)
}

func (t codecommitTx) LFSLocks(ctx context.Context, id repo.ID, page codecommit.Page) ([]codecommit.LFSLock, error) {
	return collect(ctx, t.q, scanLFSLock, selectLFSLocks, id, page.After, page.Limit)
}

func (t codecommitTx) CountLFSLocks(ctx context.Context, id repo.ID) (n int, err error) {
	err = t.q.one(ctx, countLFSLocks, []any{id}, &n)
	return n, err
}

func (t codecommitTx) InsertLFSLock(ctx context.Context, id repo.ID, l codecommit.LFSLock) error {
	_, err := t.q.exec(ctx,
		`INSERT INTO lfs_lock (repo_id, path, lock_id, ref, owner_arn, owner_id, request_id, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		id, l.Path, l.ID, refArg(l.Ref), l.OwnerARN, l.OwnerID, l.RequestID, millis(l.Created))
	return rowError(err, "lock on", l.Path)
}

func (t codecommitTx) DeleteLFSLock(ctx context.Context, id repo.ID, lockID string) error {
	ok, err := t.q.swap(ctx, `DELETE FROM lfs_lock WHERE repo_id = $1 AND lock_id = $2`, id, lockID)
	return rowError(foundOne(ok, err), "lock", lockID)
}
