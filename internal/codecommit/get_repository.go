package codecommit

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// GetRepository tells about one repository.
func (s *Service) GetRepository() *op.Operation[api.GetRepositoryInput, api.GetRepositoryOutput] {
	return &op.Operation[api.GetRepositoryInput, api.GetRepositoryOutput]{
		Spec:   op.Spec{Service: "codecommit", Name: "GetRepository", Resource: "repositoryName"},
		Checks: s.getRepositoryChecks,
		Run:    s.getRepository,
	}
}

func (s *Service) getRepositoryChecks(_ context.Context, _ authz.Caller, in *api.GetRepositoryInput) ([]authz.Check, error) {
	name, err := repositoryName(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	return []authz.Check{s.check("GetRepository", name)}, nil
}

func (s *Service) getRepository(ctx context.Context, _ authz.Grant, in *api.GetRepositoryInput) (*api.GetRepositoryOutput, error) {
	name, err := repositoryName(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	out := &api.GetRepositoryOutput{}
	err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		found, err := s.repository(ctx, tx, name)
		if err != nil {
			return err
		}
		out.RepositoryMetadata, err = s.metadata(ctx, tx, found)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
