package codecommit

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

var updatePullRequestStatusSpec = op.Spec{Service: "codecommit", Name: "UpdatePullRequestStatus", Resource: pullRequestResource}

// UpdatePullRequestStatus closes a pull request. Closed is final; the status that it
// has already is accepted.
func (s *Service) UpdatePullRequestStatus() *op.Operation[api.UpdatePullRequestStatusInput, api.UpdatePullRequestStatusOutput] {
	return &op.Operation[api.UpdatePullRequestStatusInput, api.UpdatePullRequestStatusOutput]{
		Spec: updatePullRequestStatusSpec,
		Checks: func(ctx context.Context, _ authz.Caller, in *api.UpdatePullRequestStatusInput) ([]authz.Check, error) {
			if in.PullRequestStatus == "" {
				return nil, errPullRequestStatusRequired.New("A status is required.")
			}
			if _, err := closedStatus(in.PullRequestStatus); err != nil {
				return nil, err
			}
			return s.pullRequestChecks(ctx, "UpdatePullRequestStatus", in.PullRequestId)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.UpdatePullRequestStatusInput) (*api.UpdatePullRequestStatusOutput, error) {
			shape, err := s.updatePullRequest(ctx, g, updatePullRequestStatusSpec, in.PullRequestId, func(pr *PullRequest) (*PullRequestEvent, error) {
				return changeStatus(pr, in.PullRequestStatus)
			})
			return &api.UpdatePullRequestStatusOutput{PullRequest: shape}, err
		},
	}
}

func changeStatus(pr *PullRequest, to types.PullRequestStatusEnum) (*PullRequestEvent, error) {
	switch {
	case status(*pr) == to:
		return nil, errUnchanged
	case pr.Closed:
		return nil, errInvalidPullRequestStatusUpdate.New("The pull request %d is closed and cannot be opened again.", pr.ID)
	}
	pr.Closed = true
	return statusChanged(to), nil
}
