package codecommit

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

var updatePullRequestDescriptionSpec = op.Spec{Service: "codecommit", Name: "UpdatePullRequestDescription", Resource: pullRequestResource}

// UpdatePullRequestDescription replaces the description of an open pull request.
func (s *Service) UpdatePullRequestDescription() *op.Operation[api.UpdatePullRequestDescriptionInput, api.UpdatePullRequestDescriptionOutput] {
	return &op.Operation[api.UpdatePullRequestDescriptionInput, api.UpdatePullRequestDescriptionOutput]{
		Spec: updatePullRequestDescriptionSpec,
		Checks: func(ctx context.Context, _ authz.Caller, in *api.UpdatePullRequestDescriptionInput) ([]authz.Check, error) {
			if in.Description == nil {
				return nil, errInvalidDescription.New("A description is required.")
			}
			if _, err := description(in.Description); err != nil {
				return nil, err
			}
			return s.pullRequestChecks(ctx, "UpdatePullRequestDescription", in.PullRequestId)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.UpdatePullRequestDescriptionInput) (*api.UpdatePullRequestDescriptionOutput, error) {
			shape, err := s.updatePullRequest(ctx, g, updatePullRequestDescriptionSpec, in.PullRequestId, func(pr *PullRequest) (*PullRequestEvent, error) {
				pr.Description, pr.HasDescription = textOf(in.Description), true
				return nil, stillOpen(pr)
			})
			return &api.UpdatePullRequestDescriptionOutput{PullRequest: shape}, err
		},
	}
}
