package gitserver

import (
	"context"
	"net/http"
	"strconv"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/lfs"
)

func toldLock(l codecommit.LFSLock) lfs.Lock {
	return lfs.NewLock(l.ID, l.Path, l.OwnerName(), l.Created)
}

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
	in := codecommit.GitLFSCreateLockInput{RepositoryName: x.lfsRoute.repository, Ref: refOf(asked.Ref), Path: asked.Path}
	out, err := invoke(ctx, x, x.door.CodeCommit.GitLFSCreateLock(), in)
	if err != nil {
		return err
	}
	if !out.Created {
		return x.answer(http.StatusConflict, lfs.LockAnswer{
			Lock: toldLock(out.Lock), Message: "the path is locked by " + out.Lock.OwnerName(), RequestID: x.caller.RequestID,
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
	in := codecommit.GitLFSDeleteLockInput{RepositoryName: x.lfsRoute.repository, Ref: refOf(asked.Ref), ID: x.id, Force: asked.Force}
	out, err := invoke(ctx, x, x.door.CodeCommit.GitLFSDeleteLock(), in)
	if err != nil {
		return err
	}
	return x.answer(http.StatusOK, lfs.LockAnswer{Lock: toldLock(out.Lock)})
}

// listLocks lists locks. The ref that a client sends along is not looked at: who may read
// sees the locks of every branch, because they hold on every branch.
func (x *lfsExchange) listLocks(ctx context.Context) error {
	q := x.r.URL.Query()
	in := codecommit.GitLFSLocksInput{RepositoryName: x.lfsRoute.repository, ID: q.Get("id"), Path: q.Get("path"), Cursor: q.Get("cursor")}
	if text := q.Get("limit"); text != "" {
		var err error
		if in.Limit, err = strconv.Atoi(text); err != nil {
			return errLFSLimit
		}
	}
	out, err := invoke(ctx, x, x.door.CodeCommit.GitLFSListLocks(), in)
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
	in := codecommit.GitLFSLocksInput{RepositoryName: x.lfsRoute.repository, Ref: refOf(asked.Ref), Cursor: asked.Cursor, Limit: asked.Limit}
	out, err := invoke(ctx, x, x.door.CodeCommit.GitLFSVerifyLocks(), in)
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
