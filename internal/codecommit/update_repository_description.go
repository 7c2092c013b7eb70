package codecommit

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// UpdateRepositoryDescription replaces a repository's description; without one it has
// none afterwards.
func (s *Service) UpdateRepositoryDescription() *op.Operation[api.UpdateRepositoryDescriptionInput, api.UpdateRepositoryDescriptionOutput] {
	return &op.Operation[api.UpdateRepositoryDescriptionInput, api.UpdateRepositoryDescriptionOutput]{
		Spec:   op.Spec{Service: "codecommit", Name: "UpdateRepositoryDescription", Resource: "repositoryName"},
		Checks: s.updateRepositoryDescriptionChecks,
		Run:    s.updateRepositoryDescription,
	}
}

func (s *Service) updateRepositoryDescriptionChecks(_ context.Context, _ authz.Caller, in *api.UpdateRepositoryDescriptionInput) ([]authz.Check, error) {
	name, err := repositoryName(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if _, err := repositoryDescription(in.RepositoryDescription); err != nil {
		return nil, err
	}
	return []authz.Check{s.check("UpdateRepositoryDescription", name)}, nil
}

func (s *Service) updateRepositoryDescription(ctx context.Context, _ authz.Grant, in *api.UpdateRepositoryDescriptionInput) (*api.UpdateRepositoryDescriptionOutput, error) {
	name, err := repositoryName(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	description, err := repositoryDescription(in.RepositoryDescription)
	if err != nil {
		return nil, err
	}
	err = s.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		row, err := s.repository(ctx, tx, name)
		if err != nil {
			return err
		}
		row.Description, row.Modified = description, s.now()
		return tx.UpdateRepository(ctx, row)
	})
	if err != nil {
		return nil, err
	}
	return &api.UpdateRepositoryDescriptionOutput{}, nil
}
