package codecommit

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

var deleteRepositorySpec = op.Spec{Service: "codecommit", Name: "DeleteRepository", Resource: "repositoryName", Refs: op.DropsRefs}

// DeleteRepository removes a repository and everything in it. There is no way back; to
// delete what does not exist succeeds (API reference).
func (s *Service) DeleteRepository() *op.Operation[api.DeleteRepositoryInput, api.DeleteRepositoryOutput] {
	return &op.Operation[api.DeleteRepositoryInput, api.DeleteRepositoryOutput]{
		Spec:   deleteRepositorySpec,
		Checks: s.deleteRepositoryChecks,
		Run:    s.deleteRepository,
	}
}

func (s *Service) deleteRepositoryChecks(_ context.Context, _ authz.Caller, in *api.DeleteRepositoryInput) ([]authz.Check, error) {
	name, err := repositoryName(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	return []authz.Check{s.check("DeleteRepository", name)}, nil
}

func (s *Service) deleteRepository(ctx context.Context, g authz.Grant, in *api.DeleteRepositoryInput) (*api.DeleteRepositoryOutput, error) {
	name, err := repositoryName(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := s.grantedRepositories(g, deleteRepositorySpec, name); err != nil {
		return nil, err
	}
	var id repo.ID
	err = s.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		found, err := tx.Repository(ctx, s.Account, name)
		if err != nil {
			return err
		}
		id = found.ID
		return tx.DeleteRepository(ctx, id, s.now())
	})
	if errors.Is(err, ErrNotFound) {
		return &api.DeleteRepositoryOutput{}, nil
	}
	if err != nil {
		return nil, err
	}
	// The repository is gone, whatever becomes of its cache, and also when the client is.
	if err := s.Repos.Remove(id); err != nil {
		s.Log.WarnContext(ctx, "the cache of a deleted repository could not be removed", "repository", id, "error", err)
	}
	return &api.DeleteRepositoryOutput{RepositoryId: new(string(id))}, nil
}
