package codecommit

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/internal/share"
)

// GitLFSObjectInput names one object of a transfer that a batch allowed. The decision is
// made again: what changed since the batch counts.
type GitLFSObjectInput struct {
	RepositoryName string
	RepositoryID   repo.ID      // which repository had that name then
	Ref            refname.Name // that the batch named; empty: none. A download does not look at it
	Object         lfs.Object

	From    int64     // of a download: the first byte wanted
	Content io.Reader // of an upload
}

// GitLFSObjectOutput is an object that is there. Content, which a download has, the
// caller closes.
type GitLFSObjectOutput struct{ Content io.ReadCloser }

// GitLFSGetObject reads an object.
func (s *Service) GitLFSGetObject() *op.Operation[GitLFSObjectInput, GitLFSObjectOutput] {
	return &op.Operation[GitLFSObjectInput, GitLFSObjectOutput]{
		Spec: lfsReadSpec("GitLFSGetObject"),
		Checks: func(_ context.Context, _ authz.Caller, in *GitLFSObjectInput) ([]authz.Check, error) {
			return s.lfsReadChecks(in.RepositoryName)
		},
		Run: func(ctx context.Context, _ authz.Grant, in *GitLFSObjectInput) (*GitLFSObjectOutput, error) {
			_, found, err := s.findLFSObject(ctx, in)
			if err != nil {
				return nil, err
			}
			content, err := s.Repos.OpenLFS(ctx, found.Key, in.From)
			return &GitLFSObjectOutput{content}, err
		},
	}
}

// GitLFSVerifyObject says after an upload that the object is there.
func (s *Service) GitLFSVerifyObject() *op.Operation[GitLFSObjectInput, GitLFSObjectOutput] {
	return &op.Operation[GitLFSObjectInput, GitLFSObjectOutput]{
		Spec:   lfsWriteSpec("GitLFSVerifyObject"),
		Checks: s.lfsObjectWriteChecks,
		Run: func(ctx context.Context, _ authz.Grant, in *GitLFSObjectInput) (*GitLFSObjectOutput, error) {
			_, _, err := s.findLFSObject(ctx, in)
			return &GitLFSObjectOutput{}, err
		},
	}
}

// GitLFSPutObject takes an object in. It is on disk, and its bytes are those of its name,
// when the operation succeeds.
func (s *Service) GitLFSPutObject() *op.Operation[GitLFSObjectInput, GitLFSObjectOutput] {
	return &op.Operation[GitLFSObjectInput, GitLFSObjectOutput]{
		Spec: lfsWriteSpec("GitLFSPutObject"),
		Checks: func(ctx context.Context, c authz.Caller, in *GitLFSObjectInput) ([]authz.Check, error) {
			if err := s.lfsSize(in.Object); err != nil {
				return nil, err
			}
			return s.lfsObjectWriteChecks(ctx, c, in)
		},
		Run: s.putLFSObject,
	}
}

func (s *Service) lfsObjectWriteChecks(_ context.Context, _ authz.Caller, in *GitLFSObjectInput) ([]authz.Check, error) {
	return s.lfsWriteChecks(in.RepositoryName, in.Ref)
}

// findLFSObject looks for the repository and the object in it.
func (s *Service) findLFSObject(ctx context.Context, in *GitLFSObjectInput) (r Repository, found LFSObject, err error) {
	err = s.Store.View(ctx, func(ctx context.Context, tx Reader) (err error) {
		if r, err = s.lfsRepository(ctx, tx, in.RepositoryName, in.RepositoryID); err != nil {
			return err
		}
		found, err = lfsObject(ctx, tx, r.ID, in.Object)
		return err
	})
	return r, found, err
}

// putLFSObject makes the blob durable first; the row that names it is the commit point. A
// crash between the two leaves a blob that no row names, which maintenance deletes.
func (s *Service) putLFSObject(ctx context.Context, g authz.Grant, in *GitLFSObjectInput) (*GitLFSObjectOutput, error) {
	if err := s.lfsGranted(g, in.RepositoryName, in.Ref); err != nil {
		return nil, err
	}
	giveBack, err := s.LFSUploads.Take(ctx)
	if busy, ok := errors.AsType[*share.Busy](err); ok {
		return nil, errLFSTooManyUploads.Wrap(err, "%s", busy.Error())
	} else if err != nil {
		return nil, err
	}
	defer giveBack()
	r, _, err := s.findLFSObject(ctx, in)
	switch {
	case err == nil: // the bytes are looked at all the same: a client that sends others is told
		return &GitLFSObjectOutput{}, badLFS(s.Repos.CheckLFS(in.Content, in.Object))
	case !errors.Is(err, errLFSObjectDoesNotExist.New("")):
		return nil, err
	}
	key, err := s.Repos.PutLFS(ctx, r.ID, in.Object, in.Content)
	if err != nil {
		return nil, badLFS(err)
	}
	stored := s.now()
	// The bytes are here: a client that leaves now does not take them back.
	ctx = context.WithoutCancel(ctx)
	err = s.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		if _, err := s.lfsRepository(ctx, tx, in.RepositoryName, in.RepositoryID); err != nil {
			return err
		}
		if s.now().Sub(stored) > repo.MaxPublish { // it may be taken for an orphan
			return errLate
		}
		return tx.InsertLFSObject(ctx, r.ID, LFSObject{Object: in.Object, Key: key, Created: s.now()})
	})
	twin := errors.Is(err, ErrExists) // another upload of the same bytes was faster
	if twin || isFault(err) || errors.Is(err, errLate) {
		s.dropLFS(ctx, key)
	}
	if err != nil && !twin {
		return nil, err
	}
	return &GitLFSObjectOutput{}, nil
}

// badLFS makes a fault of bytes that are not the object.
func badLFS(err error) error {
	if errors.Is(err, repo.ErrBadLFS) {
		return errLFSObjectDiffers.Wrap(err, "%s", oneLine(err.Error()))
	}
	return err
}

// dropLFS removes a blob that is known to have no row.
func (s *Service) dropLFS(ctx context.Context, key string) {
	if err := s.Repos.DeleteLFS(ctx, key); err != nil {
		s.Log.WarnContext(ctx, "a blob that belongs to nothing could not be removed", slog.String("key", key), slog.Any("error", err))
	}
}
