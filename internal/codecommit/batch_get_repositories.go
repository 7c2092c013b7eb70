package codecommit

import (
	"context"
	"slices"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/op"
)

// maxBatchRepositories bounds the names of one request (text of the service's error).
const maxBatchRepositories = 100

// BatchGetRepositories tells about several repositories. Every one of the names must be
// allowed; one that does not exist is reported beside the others.
func (s *Service) BatchGetRepositories() *op.Operation[api.BatchGetRepositoriesInput, api.BatchGetRepositoriesOutput] {
	return &op.Operation[api.BatchGetRepositoriesInput, api.BatchGetRepositoriesOutput]{
		Spec:   op.Spec{Service: "codecommit", Name: "BatchGetRepositories", Resource: "each of repositoryNames"},
		Checks: s.batchGetRepositoriesChecks,
		Run:    s.batchGetRepositories,
	}
}

func (s *Service) batchGetRepositoriesChecks(_ context.Context, _ authz.Caller, in *api.BatchGetRepositoriesInput) ([]authz.Check, error) {
	names, err := repositoryNames(in.RepositoryNames)
	if err != nil {
		return nil, err
	}
	checks := make([]authz.Check, len(names))
	for i, name := range names {
		checks[i] = s.check("BatchGetRepositories", name)
	}
	return checks, nil
}

// repositoryNames validates the names of a request and leaves out repetitions.
func repositoryNames(given []string) ([]string, error) {
	switch {
	case len(given) == 0:
		return nil, errRepositoryNamesRequired.New("At least one repository name is required.")
	case len(given) > maxBatchRepositories:
		return nil, errMaximumRepositoryNamesExceeded.New("The request names %d repositories; the limit is %d.", len(given), maxBatchRepositories)
	}
	var names []string
	for _, g := range given {
		name, err := repositoryName(&g)
		if fault.Has(err, errRepositoryNameRequired) { // not among this operation's errors
			err = errInvalidRepositoryName.New("A repository name is empty.")
		}
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

func (s *Service) batchGetRepositories(ctx context.Context, _ authz.Grant, in *api.BatchGetRepositoriesInput) (*api.BatchGetRepositoriesOutput, error) {
	names, err := repositoryNames(in.RepositoryNames)
	if err != nil {
		return nil, err
	}
	var out *api.BatchGetRepositoriesOutput
	err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		out = &api.BatchGetRepositoriesOutput{Repositories: []types.RepositoryMetadata{}, RepositoriesNotFound: []string{}, Errors: []types.BatchGetRepositoriesError{}}
		for _, name := range names {
			if err := s.batchGetRepository(ctx, tx, name, out); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) batchGetRepository(ctx context.Context, tx Reader, name string, out *api.BatchGetRepositoriesOutput) error {
	found, err := s.repository(ctx, tx, name)
	if fault.Has(err, errRepositoryDoesNotExist) {
		out.RepositoriesNotFound = append(out.RepositoriesNotFound, name)
		out.Errors = append(out.Errors, types.BatchGetRepositoriesError{
			ErrorCode:      types.BatchGetRepositoriesErrorCodeEnumRepositoryDoesNotExistException,
			ErrorMessage:   new(name + " does not exist"),
			RepositoryName: &name,
		})
		return nil
	}
	if err != nil {
		return err
	}
	m, err := s.metadata(ctx, tx, found)
	if err != nil {
		return err
	}
	out.Repositories = append(out.Repositories, *m)
	return nil
}
