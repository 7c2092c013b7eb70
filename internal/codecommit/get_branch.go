package codecommit

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
)

// GetBranch returns the tip of a branch.
func (s *Service) GetBranch() *op.Operation[api.GetBranchInput, api.GetBranchOutput] {
	return &op.Operation[api.GetBranchInput, api.GetBranchOutput]{
		Spec: op.Spec{Service: "codecommit", Name: "GetBranch", Resource: "repositoryName"},
		Checks: func(_ context.Context, _ authz.Caller, in *api.GetBranchInput) ([]authz.Check, error) {
			name, err := repositoryName(in.RepositoryName)
			_, branchErr := branch(in.BranchName)
			if err := firstError(err, branchErr); err != nil {
				return nil, err
			}
			return []authz.Check{s.check("GetBranch", name)}, nil
		},
		Run: s.getBranch,
	}
}

func (s *Service) getBranch(ctx context.Context, _ authz.Grant, in *api.GetBranchInput) (*api.GetBranchOutput, error) {
	_, snap, err := s.load(ctx, textOf(in.RepositoryName))
	if err != nil {
		return nil, err
	}
	ref, ok := snap.Ref(refname.Branch(textOf(in.BranchName)))
	if !ok {
		return nil, errBranchDoesNotExist.New("%s does not exist", refname.Branch(textOf(in.BranchName)))
	}
	return &api.GetBranchOutput{Branch: branchInfo(ref.Name, ref.OID)}, nil
}

func branchInfo(ref refname.Name, id oid.ID) *types.BranchInfo {
	return &types.BranchInfo{BranchName: new(ref.Short()), CommitId: idText(id)}
}
