package codecommit

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
)

var createBranchSpec = op.Spec{
	Service:  "codecommit",
	Name:     "CreateBranch",
	Resource: "repositoryName",
	Keys:     map[string]string{ReferencesKey: "refs/heads/ and branchName"},
	Refs:     op.CreatesRef,
}

// CreateBranch makes a branch at a commit. It never sets the default branch (API
// reference, CreateBranch).
func (s *Service) CreateBranch() *op.Operation[api.CreateBranchInput, api.CreateBranchOutput] {
	return &op.Operation[api.CreateBranchInput, api.CreateBranchOutput]{
		Spec: createBranchSpec,
		Checks: func(_ context.Context, _ authz.Caller, in *api.CreateBranchInput) ([]authz.Check, error) {
			name, ref, _, err := createBranchInput(in)
			if err != nil {
				return nil, err
			}
			c := s.check("CreateBranch", name, refValue(ref))
			c.Way = wayOfBranch(ref)
			return []authz.Check{c}, nil
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.CreateBranchInput) (*api.CreateBranchOutput, error) {
			return &api.CreateBranchOutput{}, retry(func() error { return s.createBranch(ctx, g, in) })
		},
	}
}

func createBranchInput(in *api.CreateBranchInput) (string, refname.Name, oid.ID, error) {
	name, err1 := repositoryName(in.RepositoryName)
	ref, err2 := branch(in.BranchName)
	id, err3 := commitID(in.CommitId)
	return name, ref, id, firstError(err1, err2, err3)
}

func (s *Service) createBranch(ctx context.Context, g authz.Grant, in *api.CreateBranchInput) error {
	name, ref, id, err := createBranchInput(in)
	if err != nil {
		return err
	}
	r, snap, err := s.load(ctx, name)
	if err != nil {
		return err
	}
	if _, ok := snap.Ref(ref); ok {
		return errBranchNameExists.New("The branch %s exists already.", ref.Short())
	}
	objects, err := s.Repos.Objects(ctx, snap)
	if err != nil {
		return err
	}
	_, err = knownCommit(ctx, objects, id, errCommitDoesNotExist.New("The commit %s does not exist.", id))
	if err = errors.Join(err, objects.Close()); err != nil {
		return err
	}
	err = s.commit(ctx, g, refChange{
		by:         createBranchSpec,
		repository: r,
		moves:      []RefMove{{Ref: ref, New: id}},
		keepsHead:  true,
	})
	if other, ok := conflictOf(err); ok {
		return errInvalidBranchName.New("The branch %s cannot exist beside %s: one is a folder of the other.", ref.Short(), other)
	}
	return err
}

// conflictOf returns the ref that the only move of a change conflicts with.
func conflictOf(err error) (refname.Name, bool) {
	lost, ok := errors.AsType[lostMoves](err)
	if !ok || len(lost) != 1 {
		return "", false
	}
	c, ok := errors.AsType[*refConflict](lost[0].reason)
	if !ok {
		return "", false
	}
	return c.with, true
}
