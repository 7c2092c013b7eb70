package codecommit

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

var updateDefaultBranchSpec = op.Spec{
	Service:  "codecommit",
	Name:     "UpdateDefaultBranch",
	Resource: "repositoryName",
	Refs:     op.MovesHead,
}

// UpdateDefaultBranch chooses the default branch. As in AWS it does not carry
// codecommit:References.
func (s *Service) UpdateDefaultBranch() *op.Operation[api.UpdateDefaultBranchInput, api.UpdateDefaultBranchOutput] {
	return &op.Operation[api.UpdateDefaultBranchInput, api.UpdateDefaultBranchOutput]{
		Spec: updateDefaultBranchSpec,
		Checks: func(_ context.Context, _ authz.Caller, in *api.UpdateDefaultBranchInput) ([]authz.Check, error) {
			name, err := repositoryName(in.RepositoryName)
			_, branchErr := branch(in.DefaultBranchName)
			if err := firstError(err, branchErr); err != nil {
				return nil, err
			}
			return []authz.Check{s.check("UpdateDefaultBranch", name)}, nil
		},
		Run: s.updateDefaultBranch,
	}
}

func (s *Service) updateDefaultBranch(ctx context.Context, g authz.Grant, in *api.UpdateDefaultBranchInput) (*api.UpdateDefaultBranchOutput, error) {
	head, err := branch(in.DefaultBranchName)
	if err != nil {
		return nil, err
	}
	err = s.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		r, err := s.repository(ctx, tx, textOf(in.RepositoryName))
		if err != nil {
			return err
		}
		return s.moveHead(ctx, tx, g, updateDefaultBranchSpec, r, head)
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdateDefaultBranchOutput{}, nil
}
