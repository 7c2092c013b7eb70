package codecommit

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
)

var deleteBranchSpec = op.Spec{
	Service:  "codecommit",
	Name:     "DeleteBranch",
	Resource: "repositoryName",
	Keys:     map[string]string{ReferencesKey: "refs/heads/ and branchName"},
	Refs:     op.DeletesRef,
}

// DeleteBranch deletes a branch other than the default one. A branch that is not
// there is not an error: the API lists none for it.
func (s *Service) DeleteBranch() *op.Operation[api.DeleteBranchInput, api.DeleteBranchOutput] {
	return &op.Operation[api.DeleteBranchInput, api.DeleteBranchOutput]{
		Spec: deleteBranchSpec,
		Checks: func(_ context.Context, _ authz.Caller, in *api.DeleteBranchInput) ([]authz.Check, error) {
			name, ref, err := deleteBranchInput(in)
			if err != nil {
				return nil, err
			}
			c := s.check("DeleteBranch", name, refValue(ref))
			c.Way = "Leave the branch, or ask someone who may delete it"
			return []authz.Check{c}, nil
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.DeleteBranchInput) (*api.DeleteBranchOutput, error) {
			out := &api.DeleteBranchOutput{}
			return out, retry(func() error { return s.deleteBranch(ctx, g, in, out) })
		},
	}
}

func deleteBranchInput(in *api.DeleteBranchInput) (string, refname.Name, error) {
	name, err1 := repositoryName(in.RepositoryName)
	ref, err2 := branch(in.BranchName)
	return name, ref, firstError(err1, err2)
}

func (s *Service) deleteBranch(ctx context.Context, g authz.Grant, in *api.DeleteBranchInput, out *api.DeleteBranchOutput) error {
	name, branch, err := deleteBranchInput(in)
	if err != nil {
		return err
	}
	r, snap, err := s.load(ctx, name)
	if err != nil {
		return err
	}
	ref, ok := snap.Ref(branch)
	if !ok {
		return nil
	}
	err = s.commit(ctx, g, refChange{
		by:         deleteBranchSpec,
		repository: r,
		moves:      []RefMove{{Ref: branch, Old: ref.OID}},
	})
	if lost, ok := errors.AsType[lostMoves](err); ok && errors.Is(lost[0].reason, errHeadRef) {
		return errDefaultBranchCannotBeDeleted.New("%s is the default branch and cannot be deleted.", branch.Short())
	}
	if err != nil {
		return err
	}
	out.DeletedBranch = branchInfo(branch, ref.OID)
	return nil
}
