package codecommit

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

// BatchGetCommits describes up to 100 commits; IDs that are short, malformed or
// unknown come back as errors of their own.
func (s *Service) BatchGetCommits() *op.Operation[api.BatchGetCommitsInput, api.BatchGetCommitsOutput] {
	return &op.Operation[api.BatchGetCommitsInput, api.BatchGetCommitsOutput]{
		Spec: op.Spec{Service: "codecommit", Name: "BatchGetCommits", Resource: "repositoryName"},
		Checks: func(_ context.Context, _ authz.Caller, in *api.BatchGetCommitsInput) ([]authz.Check, error) {
			name, err := repositoryName(in.RepositoryName)
			switch {
			case err != nil:
				return nil, err
			case in.CommitIds == nil:
				return nil, errCommitIDsListRequired.New("A list of commit IDs is required.")
			case len(in.CommitIds) > maxBatchCommits:
				return nil, errCommitIDsLimitExceeded.New("At most %d commit IDs can be asked for at once.", maxBatchCommits)
			}
			return []authz.Check{s.check("BatchGetCommits", name)}, nil
		},
		Run: s.batchGetCommits,
	}
}

func (s *Service) batchGetCommits(ctx context.Context, _ authz.Grant, in *api.BatchGetCommitsInput) (*api.BatchGetCommitsOutput, error) {
	_, _, objects, err := s.open(ctx, textOf(in.RepositoryName))
	if err != nil {
		return nil, err
	}
	defer func() { _ = objects.Close() }()
	out := &api.BatchGetCommitsOutput{Commits: []types.Commit{}, Errors: []types.BatchGetCommitsError{}}
	for _, text := range in.CommitIds {
		shape, err := oneCommit(ctx, objects, text)
		if f, ok := errors.AsType[*fault.Fault](err); ok {
			out.Errors = append(out.Errors, types.BatchGetCommitsError{
				CommitId: new(text), ErrorCode: new(f.Code.Name), ErrorMessage: new(f.Message),
			})
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Commits = append(out.Commits, *shape)
	}
	return out, nil
}

func oneCommit(ctx context.Context, objects *repo.Objects, text string) (*types.Commit, error) {
	id, err := commitID(&text)
	if err != nil {
		return nil, err
	}
	c, err := knownCommit(ctx, objects, id, errCommitIDDoesNotExist.New("The commit %s does not exist.", id))
	if err != nil {
		return nil, err
	}
	return commitShape(c), nil
}
