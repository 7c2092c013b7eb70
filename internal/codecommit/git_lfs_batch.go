package codecommit

import (
	"context"
	"errors"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

// GitLFSBatchInput names objects that a client wants to transfer.
type GitLFSBatchInput struct {
	RepositoryName string
	Ref            refname.Name // unchecked; empty: not named. A download does not look at it
	Objects        []lfs.Object
}

// GitLFSBatchOutput says of each object, in the order of the input, whether it is there.
type GitLFSBatchOutput struct {
	RepositoryID repo.ID
	Objects      []LFSPresence
}

// LFSPresence is what is known of one object: that it is there, or what is wrong with it,
// or nothing, and then it is not there and could be uploaded.
type LFSPresence struct {
	Present bool
	Wrong   *fault.Fault
}

// GitLFSDownload is the decision and the look-up before objects are downloaded. Objects
// that are not in the repository are wrong, whatever other repositories have.
func (s *Service) GitLFSDownload() *op.Operation[GitLFSBatchInput, GitLFSBatchOutput] {
	return &op.Operation[GitLFSBatchInput, GitLFSBatchOutput]{
		Spec: lfsReadSpec("GitLFSDownload"),
		Checks: func(_ context.Context, _ authz.Caller, in *GitLFSBatchInput) ([]authz.Check, error) {
			return s.lfsReadChecks(in.RepositoryName)
		},
		Run: func(ctx context.Context, _ authz.Grant, in *GitLFSBatchInput) (*GitLFSBatchOutput, error) {
			return s.lfsBatch(ctx, in, func(o lfs.Object, err error) LFSPresence {
				f, _ := errors.AsType[*fault.Fault](err)
				return LFSPresence{Present: f == nil, Wrong: f}
			})
		},
	}
}

// GitLFSUpload is the decision and the look-up before objects are uploaded: like a push to
// the ref. Nothing is written.
func (s *Service) GitLFSUpload() *op.Operation[GitLFSBatchInput, GitLFSBatchOutput] {
	return &op.Operation[GitLFSBatchInput, GitLFSBatchOutput]{
		Spec: lfsWriteSpec("GitLFSUpload"),
		Checks: func(_ context.Context, _ authz.Caller, in *GitLFSBatchInput) ([]authz.Check, error) {
			return s.lfsWriteChecks(in.RepositoryName, in.Ref)
		},
		Run: func(ctx context.Context, _ authz.Grant, in *GitLFSBatchInput) (*GitLFSBatchOutput, error) {
			return s.lfsBatch(ctx, in, func(o lfs.Object, err error) LFSPresence {
				if fault.Has(err, errLFSObjectDoesNotExist) {
					err = s.lfsSize(o)
				} else if err == nil {
					return LFSPresence{Present: true}
				}
				f, _ := errors.AsType[*fault.Fault](err)
				return LFSPresence{Wrong: f}
			})
		},
	}
}

// lfsBatch looks every object up; say makes its result of what was found.
func (s *Service) lfsBatch(ctx context.Context, in *GitLFSBatchInput, say func(lfs.Object, error) LFSPresence) (*GitLFSBatchOutput, error) {
	out := &GitLFSBatchOutput{}
	err := s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		r, err := s.repository(ctx, tx, in.RepositoryName)
		if err != nil {
			return err
		}
		out.RepositoryID = r.ID
		out.Objects = make([]LFSPresence, len(in.Objects))
		for i, o := range in.Objects {
			_, err := lfsObject(ctx, tx, r.ID, o)
			if err != nil && !isFault(err) {
				return err
			}
			out.Objects[i] = say(o, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
