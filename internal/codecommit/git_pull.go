package codecommit

import (
	"context"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

const gitPullAction = "codecommit:GitPull"

// GitPullInput names what a Git client wants to read.
type GitPullInput struct{ RepositoryName string }

// GitPullOutput is the repository as of now.
type GitPullOutput struct{ Snapshot *repo.Snapshot }

// GitPull is the check and the snapshot behind ls-refs, clone and fetch. Reading
// cannot be limited by branch: the action carries no codecommit:References.
func (s *Service) GitPull() *op.Operation[GitPullInput, GitPullOutput] {
	return &op.Operation[GitPullInput, GitPullOutput]{
		Spec: op.Spec{Service: "codecommit", Name: "GitPull", Resource: "the repository of the URL"},
		Checks: func(_ context.Context, _ authz.Caller, in *GitPullInput) ([]authz.Check, error) {
			name, err := repositoryName(&in.RepositoryName)
			return []authz.Check{s.check("GitPull", name)}, err
		},
		Run: func(ctx context.Context, _ authz.Grant, in *GitPullInput) (*GitPullOutput, error) {
			_, snap, err := s.load(ctx, in.RepositoryName)
			return &GitPullOutput{Snapshot: snap}, err
		},
	}
}
