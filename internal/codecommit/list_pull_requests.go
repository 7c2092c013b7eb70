package codecommit

import (
	"context"
	"strconv"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// pullRequestsPage is the default and largest page of ListPullRequests.
const pullRequestsPage = 100

// ListPullRequests lists the IDs of a repository's pull requests, newest first.
func (s *Service) ListPullRequests() *op.Operation[api.ListPullRequestsInput, api.ListPullRequestsOutput] {
	return &op.Operation[api.ListPullRequestsInput, api.ListPullRequestsOutput]{
		Spec: op.Spec{Service: "codecommit", Name: "ListPullRequests", Resource: "repositoryName"},
		Checks: func(_ context.Context, _ authz.Caller, in *api.ListPullRequestsInput) ([]authz.Check, error) {
			q, err := s.pullRequestListing(in)
			if err != nil {
				return nil, err
			}
			return []authz.Check{s.check("ListPullRequests", q.repository)}, nil
		},
		Run: s.listPullRequests,
	}
}

// pullRequestListing is a validated ListPullRequests.
type pullRequestListing struct {
	repository string
	filter     PullRequestFilter
	page       Page
	purpose    string
}

func (s *Service) pullRequestListing(in *api.ListPullRequestsInput) (pullRequestListing, error) {
	var (
		q pullRequestListing
		e [4]error
	)
	q.repository, e[0] = repositoryName(in.RepositoryName)
	q.filter.AuthorARN = textOf(in.AuthorArn)
	if q.filter.AuthorARN != "" {
		if _, err := arn.Parse(q.filter.AuthorARN); err != nil {
			e[1] = errInvalidAuthorARN.New("The author %q is not an ARN.", q.filter.AuthorARN)
		}
	}
	if in.PullRequestStatus != "" {
		var closed bool
		closed, e[2] = closedStatus(in.PullRequestStatus)
		q.filter.Closed = &closed
	}
	q.page.Limit, e[3] = maxResults(in.MaxResults, pullRequestsPage)
	if err := firstError(e[:]...); err != nil {
		return q, err
	}
	q.purpose = listingPurpose("ListPullRequests", q.repository, q.filter.AuthorARN, string(in.PullRequestStatus))
	var err error
	q.page.After, err = s.cursor(q.purpose, in.NextToken)
	return q, err
}

// closedStatus reads a status.
func closedStatus(status types.PullRequestStatusEnum) (bool, error) {
	switch status {
	case types.PullRequestStatusEnumOpen:
		return false, nil
	case types.PullRequestStatusEnumClosed:
		return true, nil
	}
	return false, errInvalidPullRequestStatus.New("The status %q is not one of OPEN, CLOSED.", status)
}

func (s *Service) listPullRequests(ctx context.Context, _ authz.Grant, in *api.ListPullRequestsInput) (*api.ListPullRequestsOutput, error) {
	q, err := s.pullRequestListing(in)
	if err != nil {
		return nil, err
	}
	var rows []PullRequest
	err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		r, err := s.repository(ctx, tx, q.repository)
		if err != nil {
			return err
		}
		filter := q.filter
		filter.Repository = r.ID
		rows, err = tx.PullRequests(ctx, s.Account, filter, Page{After: q.page.After, Limit: q.page.Limit + 1})
		return err
	})
	if err != nil {
		return nil, err
	}
	rows, more := page(rows, q.page.Limit)
	out := &api.ListPullRequestsOutput{PullRequestIds: make([]string, len(rows))}
	for i, pr := range rows {
		out.PullRequestIds[i] = strconv.FormatInt(pr.ID, 10)
	}
	if more {
		out.NextToken = s.token(q.purpose, out.PullRequestIds[len(rows)-1])
	}
	return out, nil
}
