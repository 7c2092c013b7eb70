package gitserver

import (
	"context"
	"net/http"
	"strconv"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/lfs"
)

// createLock locks a path; where it is locked, by whomever, the client gets that lock.
func (x *lfsExchange) createLock(ctx context.Context) error {
	data, err := x.message(lfs.MaxLockBytes)
	if err != nil {
		return err
	}
	asked, err := lfs.DecodeLock(data)
	if err != nil {
		return err
	}
	out, err := x.desk.lock(ctx, asked)
	if err != nil {
		return err
	}
	if !out.Created {
		return x.answer(http.StatusConflict, lfs.LockAnswer{
			Lock: toldLock(out.Lock), Message: inTheWay(out.Lock), RequestID: x.caller.RequestID,
		})
	}
	return x.answer(http.StatusCreated, lfs.LockAnswer{Lock: toldLock(out.Lock)})
}

// deleteLock removes a lock.
func (x *lfsExchange) deleteLock(ctx context.Context) error {
	data, err := x.message(lfs.MaxLockBytes)
	if err != nil {
		return err
	}
	asked, err := lfs.DecodeUnlock(data)
	if err != nil {
		return err
	}
	lock, err := x.desk.unlock(ctx, x.id, asked)
	if err != nil {
		return err
	}
	return x.answer(http.StatusOK, lfs.LockAnswer{Lock: lock})
}

// listLocks lists locks.
func (x *lfsExchange) listLocks(ctx context.Context) error {
	q := x.r.URL.Query()
	in := codecommit.GitLFSLocksInput{ID: q.Get("id"), Path: q.Get("path"), Cursor: q.Get("cursor")}
	if text := q.Get("limit"); text != "" {
		var err error
		if in.Limit, err = strconv.Atoi(text); err != nil {
			return errLFSLimit
		}
	}
	out, err := x.desk.listLocks(ctx, in)
	if err != nil {
		return err
	}
	told := lfs.LockList{Locks: []lfs.Lock{}, NextCursor: out.Next}
	for _, l := range out.Locks {
		told.Locks = append(told.Locks, toldLock(l))
	}
	return x.answer(http.StatusOK, told)
}

// verifyLocks lists the locks that a push has to respect, the caller's own apart.
func (x *lfsExchange) verifyLocks(ctx context.Context) error {
	data, err := x.message(lfs.MaxLockBytes)
	if err != nil {
		return err
	}
	asked, err := lfs.DecodeVerify(data)
	if err != nil {
		return err
	}
	out, err := x.desk.verifyLocks(ctx, asked)
	if err != nil {
		return err
	}
	told := lfs.VerifiedLocks{Ours: []lfs.Lock{}, Theirs: []lfs.Lock{}, NextCursor: out.Next}
	for _, l := range out.Locks {
		if l.Ours(x.caller.Principal) {
			told.Ours = append(told.Ours, toldLock(l))
		} else {
			told.Theirs = append(told.Theirs, toldLock(l))
		}
	}
	return x.answer(http.StatusOK, told)
}
