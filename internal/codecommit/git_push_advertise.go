package codecommit

import (
	"context"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/policy/catalog"
)

// GitPushAdvertiseInput names what a Git client wants to push to.
type GitPushAdvertiseInput struct{ RepositoryName string }

// GitPushAdvertiseOutput is the repository as of now.
type GitPushAdvertiseOutput struct{ Snapshot *repo.Snapshot }

// GitPushAdvertise is the first of the two decisions of a push, at the advertisement
// of the refs: see [catalog.Advertisement], which says what keys it lacks.
func (s *Service) GitPushAdvertise() *op.Operation[GitPushAdvertiseInput, GitPushAdvertiseOutput] {
	return &op.Operation[GitPushAdvertiseInput, GitPushAdvertiseOutput]{
		Spec: op.Spec{
			Service:  "codecommit",
			Name:     "GitPushAdvertise",
			Actions:  []string{gitPushAction},
			Phase:    catalog.Advertisement,
			Resource: "the repository of the URL",
		},
		Checks: func(_ context.Context, _ authz.Caller, in *GitPushAdvertiseInput) ([]authz.Check, error) {
			name, err := repositoryName(&in.RepositoryName)
			check := s.check("GitPush", name)
			check.Asks = true // refs are shown; what moves them is GitPush
			return []authz.Check{check}, err
		},
		Run: func(ctx context.Context, _ authz.Grant, in *GitPushAdvertiseInput) (*GitPushAdvertiseOutput, error) {
			_, snap, err := s.load(ctx, in.RepositoryName)
			return &GitPushAdvertiseOutput{Snapshot: snap}, err
		},
	}
}
