package codecommit

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

var updatePullRequestTitleSpec = op.Spec{Service: "codecommit", Name: "UpdatePullRequestTitle", Resource: pullRequestResource}

// UpdatePullRequestTitle replaces the title of an open pull request.
func (s *Service) UpdatePullRequestTitle() *op.Operation[api.UpdatePullRequestTitleInput, api.UpdatePullRequestTitleOutput] {
	return &op.Operation[api.UpdatePullRequestTitleInput, api.UpdatePullRequestTitleOutput]{
		Spec: updatePullRequestTitleSpec,
		Checks: func(ctx context.Context, _ authz.Caller, in *api.UpdatePullRequestTitleInput) ([]authz.Check, error) {
			if _, err := title(in.Title); err != nil {
				return nil, err
			}
			return s.pullRequestChecks(ctx, "UpdatePullRequestTitle", in.PullRequestId)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.UpdatePullRequestTitleInput) (*api.UpdatePullRequestTitleOutput, error) {
			shape, err := s.updatePullRequest(ctx, g, updatePullRequestTitleSpec, in.PullRequestId, func(pr *PullRequest) (*PullRequestEvent, error) {
				pr.Title = textOf(in.Title)
				return nil, stillOpen(pr)
			})
			return &api.UpdatePullRequestTitleOutput{PullRequest: shape}, err
		},
	}
}
