package codecommit

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

var getPullRequestSpec = op.Spec{Service: "codecommit", Name: "GetPullRequest", Resource: pullRequestResource}

// GetPullRequest describes a pull request.
func (s *Service) GetPullRequest() *op.Operation[api.GetPullRequestInput, api.GetPullRequestOutput] {
	return &op.Operation[api.GetPullRequestInput, api.GetPullRequestOutput]{
		Spec: getPullRequestSpec,
		Checks: func(ctx context.Context, _ authz.Caller, in *api.GetPullRequestInput) ([]authz.Check, error) {
			return s.pullRequestChecks(ctx, "GetPullRequest", in.PullRequestId)
		},
		Run: s.getPullRequest,
	}
}

func (s *Service) getPullRequest(ctx context.Context, g authz.Grant, in *api.GetPullRequestInput) (*api.GetPullRequestOutput, error) {
	id, err := pullRequestID(in.PullRequestId)
	if err != nil {
		return nil, err
	}
	f, err := s.findPullRequest(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.grantedOn(g, getPullRequestSpec, f); err != nil {
		return nil, err
	}
	return &api.GetPullRequestOutput{PullRequest: f.shape()}, nil
}
