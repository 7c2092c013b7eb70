package codecommit

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
)

// Limits of locks.
const (
	maxLFSLocks     = 10_000 // of one repository
	maxLFSLocksPage = 1000
	lfsLocksPage    = 100 // where the client does not say
)

// GitLFSCreateLockInput asks to lock a path.
type GitLFSCreateLockInput struct {
	RepositoryName string
	Ref            refname.Name // unchecked; empty: not named
	Path           string
}

// GitLFSCreateLockOutput is the lock, or the one that is in the way.
type GitLFSCreateLockOutput struct {
	Lock    LFSLock
	Created bool
}

// GitLFSCreateLock locks a path for the caller. Locks tell people, and their clients, not
// to change a file; a push is not refused for one.
func (s *Service) GitLFSCreateLock() *op.Operation[GitLFSCreateLockInput, GitLFSCreateLockOutput] {
	return &op.Operation[GitLFSCreateLockInput, GitLFSCreateLockOutput]{
		Spec: lfsWriteSpec("GitLFSCreateLock"),
		Checks: func(_ context.Context, _ authz.Caller, in *GitLFSCreateLockInput) ([]authz.Check, error) {
			if err := lfs.CheckPath(in.Path); err != nil {
				return nil, errInvalidPath.Wrap(err, "%s", err)
			}
			return s.lfsWriteChecks(in.RepositoryName, in.Ref)
		},
		Run: s.createLFSLock,
	}
}

func (s *Service) createLFSLock(ctx context.Context, g authz.Grant, in *GitLFSCreateLockInput) (*GitLFSCreateLockOutput, error) {
	if err := s.lfsGranted(g, in.RepositoryName, in.Ref); err != nil {
		return nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	c := g.Caller()
	lock := LFSLock{
		ID: id.String(), Path: in.Path, Ref: in.Ref, OwnerARN: c.Principal.ARN.String(), OwnerID: c.Principal.UserID,
		RequestID: c.RequestID, Created: s.now(),
	}
	var out *GitLFSCreateLockOutput
	err = s.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		r, err := s.repository(ctx, tx, in.RepositoryName)
		if err != nil {
			return err
		}
		held, err := tx.LFSLockOn(ctx, r.ID, in.Path)
		switch {
		case err == nil:
			out = &GitLFSCreateLockOutput{Lock: held}
			return nil
		case !errors.Is(err, ErrNotFound):
			return err
		}
		n, err := tx.CountLFSLocks(ctx, r.ID)
		switch {
		case err != nil:
			return err
		case n >= maxLFSLocks:
			return errLFSTooManyLocks.New("the repository has %d locks, which is the limit", n)
		}
		out = &GitLFSCreateLockOutput{Lock: lock, Created: true}
		return tx.InsertLFSLock(ctx, r.ID, lock)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// GitLFSDeleteLockInput asks to remove a lock.
type GitLFSDeleteLockInput struct {
	RepositoryName string
	Ref            refname.Name // unchecked; empty: not named
	ID             string
	Force          bool // also where the lock is another's
}

// GitLFSDeleteLockOutput is the lock that was removed.
type GitLFSDeleteLockOutput struct{ Lock LFSLock }

// GitLFSDeleteLock removes a lock. Another's can be removed with force, by who may push
// to the ref that the lock was made for (or, where it was made for none, to the default
// branch): they could have overwritten the file.
func (s *Service) GitLFSDeleteLock() *op.Operation[GitLFSDeleteLockInput, GitLFSDeleteLockOutput] {
	return &op.Operation[GitLFSDeleteLockInput, GitLFSDeleteLockOutput]{
		Spec:   lfsWriteSpec("GitLFSDeleteLock"),
		Checks: s.deleteLFSLockChecks,
		Run:    s.deleteLFSLock,
	}
}

func (s *Service) deleteLFSLockChecks(ctx context.Context, c authz.Caller, in *GitLFSDeleteLockInput) ([]authz.Check, error) {
	refs := []refname.Name{in.Ref}
	if _, err := s.lfsWriteChecks(in.RepositoryName, refs...); err != nil || !in.Force {
		return s.lfsWriteChecks(in.RepositoryName, refs...)
	}
	err := s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		r, lock, err := s.findLFSLock(ctx, tx, in)
		if err == nil && lock.OwnerID != c.Principal.UserID {
			refs = append(refs, lockedRef(r, lock))
		}
		return err
	})
	if err != nil && !isFault(err) { // that there is no such lock, who may push is told later
		return nil, err
	}
	return s.lfsWriteChecks(in.RepositoryName, refs...)
}

// lockedRef is the ref whose pushers can remove a lock of somebody else's; empty in a
// repository without a default branch.
func lockedRef(r Repository, lock LFSLock) refname.Name {
	if lock.Ref != "" {
		return lock.Ref
	}
	return r.Head
}

func (s *Service) findLFSLock(ctx context.Context, tx Reader, in *GitLFSDeleteLockInput) (Repository, LFSLock, error) {
	r, err := s.repository(ctx, tx, in.RepositoryName)
	if err != nil {
		return Repository{}, LFSLock{}, err
	}
	lock, err := tx.LFSLock(ctx, r.ID, in.ID)
	return r, lock, missing(err, errLFSLockDoesNotExist.New("there is no such lock"))
}

func (s *Service) deleteLFSLock(ctx context.Context, g authz.Grant, in *GitLFSDeleteLockInput) (*GitLFSDeleteLockOutput, error) {
	if err := s.lfsGranted(g, in.RepositoryName, in.Ref); err != nil {
		return nil, err
	}
	out := &GitLFSDeleteLockOutput{}
	err := s.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		r, lock, err := s.findLFSLock(ctx, tx, in)
		switch {
		case err != nil:
			return err
		case lock.OwnerID == g.Caller().Principal.UserID:
		case !in.Force:
			return errLFSLockIsOthers.New("the lock is %s's; it can be removed by force", lock.OwnerName())
		case s.lfsGranted(g, in.RepositoryName, lockedRef(r, lock)) != nil: // the default branch is another by now
			return errLFSLockChanged.New("the lock changed in the meantime; try again")
		}
		out.Lock = lock
		return tx.DeleteLFSLock(ctx, r.ID, lock.ID)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// GitLFSLocksInput asks for locks. A listing can ask for the lock with an ID or on a path.
type GitLFSLocksInput struct {
	RepositoryName string
	Ref            refname.Name // of a verification: unchecked; empty: not named
	ID, Path       string       // of a listing
	Cursor         string       // as it was answered; empty: the beginning
	Limit          int          // 0: the host's choice
}

// GitLFSLocksOutput is a page of locks by path, and the cursor of the next if there is one.
type GitLFSLocksOutput struct {
	Locks []LFSLock
	Next  string
}

// Ours reports whether a lock is the principal's own.
func (l LFSLock) Ours(p authz.Principal) bool { return l.OwnerID == p.UserID }

// GitLFSListLocks lists locks, like a pull.
func (s *Service) GitLFSListLocks() *op.Operation[GitLFSLocksInput, GitLFSLocksOutput] {
	return &op.Operation[GitLFSLocksInput, GitLFSLocksOutput]{
		Spec: lfsReadSpec("GitLFSListLocks"),
		Checks: func(_ context.Context, _ authz.Caller, in *GitLFSLocksInput) ([]authz.Check, error) {
			if err := s.lfsLocksInput(in); err != nil {
				return nil, err
			}
			return s.lfsReadChecks(in.RepositoryName)
		},
		Run: func(ctx context.Context, _ authz.Grant, in *GitLFSLocksInput) (*GitLFSLocksOutput, error) {
			return s.lfsLocks(ctx, in)
		},
	}
}

// GitLFSVerifyLocks lists the locks that a push to the ref has to respect. It is asked by
// clients before they push, and so decided like the push.
func (s *Service) GitLFSVerifyLocks() *op.Operation[GitLFSLocksInput, GitLFSLocksOutput] {
	return &op.Operation[GitLFSLocksInput, GitLFSLocksOutput]{
		Spec: lfsWriteSpec("GitLFSVerifyLocks"),
		Checks: func(_ context.Context, _ authz.Caller, in *GitLFSLocksInput) ([]authz.Check, error) {
			if err := s.lfsLocksInput(in); err != nil {
				return nil, err
			}
			return s.lfsWriteChecks(in.RepositoryName, in.Ref)
		},
		Run: func(ctx context.Context, _ authz.Grant, in *GitLFSLocksInput) (*GitLFSLocksOutput, error) {
			return s.lfsLocks(ctx, &GitLFSLocksInput{RepositoryName: in.RepositoryName, Cursor: in.Cursor, Limit: in.Limit})
		},
	}
}

func lfsLocksPurpose(repository string) string { return "GitLFSListLocks " + repository }

func (s *Service) lfsLocksInput(in *GitLFSLocksInput) error {
	if in.Limit < 0 {
		return errInvalidMaxResults.New("the limit is negative")
	}
	_, err := s.cursor(lfsLocksPurpose(in.RepositoryName), &in.Cursor)
	return err
}

func (s *Service) lfsLocks(ctx context.Context, in *GitLFSLocksInput) (*GitLFSLocksOutput, error) {
	after, err := s.cursor(lfsLocksPurpose(in.RepositoryName), &in.Cursor)
	if err != nil {
		return nil, err
	}
	limit := min(in.Limit, maxLFSLocksPage)
	if limit == 0 {
		limit = lfsLocksPage
	}
	out := &GitLFSLocksOutput{}
	err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		r, err := s.repository(ctx, tx, in.RepositoryName)
		if err != nil {
			return err
		}
		if in.ID != "" || in.Path != "" {
			out.Locks, err = oneLFSLock(ctx, tx, r, in)
			return err
		}
		all, err := tx.LFSLocks(ctx, r.ID, Page{After: after, Limit: limit + 1})
		locks, more := page(all, limit)
		if out.Locks = locks; more {
			out.Next = *s.token(lfsLocksPurpose(in.RepositoryName), locks[len(locks)-1].Path)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// oneLFSLock finds the lock with an ID, or on a path, or with both; none is no error.
func oneLFSLock(ctx context.Context, tx Reader, r Repository, in *GitLFSLocksInput) ([]LFSLock, error) {
	var lock LFSLock
	var err error
	if in.ID != "" {
		lock, err = tx.LFSLock(ctx, r.ID, in.ID)
	} else {
		lock, err = tx.LFSLockOn(ctx, r.ID, in.Path)
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case in.Path != "" && lock.Path != in.Path:
		return nil, nil
	}
	return []LFSLock{lock}, nil
}
