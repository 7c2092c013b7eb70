package codecommit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

// pullRequestResource says where the repository of an operation on a pull request
// comes from.
const pullRequestResource = "the repository of pullRequestId"

// pullRequestID validates the ID of a pull request: a decimal number.
func pullRequestID(text *string) (int64, error) {
	if !given(text) {
		return 0, errPullRequestIDRequired.New("A pull request ID is required.")
	}
	id, err := strconv.ParseInt(*text, 10, 64)
	if err != nil || id < 1 || strconv.FormatInt(id, 10) != *text {
		return 0, errInvalidPullRequestID.New("The pull request ID %q is not valid: it is a decimal number.", *text)
	}
	return id, nil
}

// found is a pull request with the repository that it belongs to.
type found struct {
	PullRequest
	repository Repository
}

// readPullRequest reads a pull request and its repository.
func (s *Service) readPullRequest(ctx context.Context, tx Reader, id int64) (found, error) {
	unknown := errPullRequestDoesNotExist.New("The pull request %d does not exist.", id)
	pr, err := tx.PullRequest(ctx, s.Account, id)
	if err != nil {
		return found{}, missing(err, unknown)
	}
	r, err := tx.RepositoryByID(ctx, pr.Repository)
	return found{pr, r}, missing(err, unknown)
}

// findPullRequest is readPullRequest in a view of its own.
func (s *Service) findPullRequest(ctx context.Context, id int64) (found, error) {
	var f found
	err := s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		var err error
		f, err = s.readPullRequest(ctx, tx, id)
		return err
	})
	return f, err
}

// pullRequestChecks asks for an action on the repository of a pull request. Which
// repository that is, the host has to look up: so an unknown pull request is answered
// before any decision.
func (s *Service) pullRequestChecks(ctx context.Context, action string, text *string) ([]authz.Check, error) {
	id, err := pullRequestID(text)
	if err != nil {
		return nil, err
	}
	f, err := s.findPullRequest(ctx, id)
	if err != nil {
		return nil, err
	}
	return []authz.Check{s.check(action, f.repository.Name)}, nil
}

// grantedOn refuses to act on a pull request whose repository is not the one that was
// asked about: it was renamed in between.
func (s *Service) grantedOn(g authz.Grant, by op.Spec, f found) error {
	if err := s.grantedRepositories(g, by, f.repository.Name); err != nil {
		return errPullRequestDoesNotExist.Wrap(err, "The pull request %d is no longer in the repository that it was in.", f.ID)
	}
	return nil
}

// errUnchanged says that a pull request is already as it is asked to be.
var errUnchanged = errors.New("nothing to change")

// updatePullRequest changes a pull request in one transaction and returns it. change
// returns the event to record, if any, and may refuse, or answer errUnchanged.
func (s *Service) updatePullRequest(ctx context.Context, g authz.Grant, by op.Spec, text *string, change func(pr *PullRequest) (*PullRequestEvent, error)) (*types.PullRequest, error) {
	id, err := pullRequestID(text)
	if err != nil {
		return nil, err
	}
	var f found
	err = s.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		var err error
		if f, err = s.readPullRequest(ctx, tx, id); err != nil {
			return err
		}
		if err := s.grantedOn(g, by, f); err != nil {
			return err
		}
		event, err := change(&f.PullRequest)
		if errors.Is(err, errUnchanged) {
			return nil
		} else if err != nil {
			return err
		}
		at := s.now()
		f.LastActivity = at
		if err := tx.UpdatePullRequest(ctx, f.PullRequest); err != nil || event == nil {
			return err
		}
		event.PullRequest, event.ActorARN, event.At = id, g.Caller().Principal.ARN.String(), at
		return tx.AppendPullRequestEvent(ctx, s.Account, *event)
	})
	if err != nil {
		return nil, err
	}
	return f.shape(), nil
}

// stillOpen refuses to change a closed pull request.
func stillOpen(pr *PullRequest) error {
	if pr.Closed {
		return errPullRequestAlreadyClosed.New("The pull request %d is closed.", pr.ID)
	}
	return nil
}

// title validates the title of a pull request.
func title(text *string) (string, error) {
	switch {
	case !given(text):
		return "", errTitleRequired.New("A title is required.")
	case utf8.RuneCountInString(*text) > maxTitleRunes:
		return "", errInvalidTitle.New("The title has more than %d characters.", maxTitleRunes)
	}
	return *text, nil
}

// description validates the description of a pull request; nil where it is absent.
func description(text *string) (*string, error) {
	if text != nil && utf8.RuneCountInString(*text) > maxDescriptionRunes {
		return nil, errInvalidDescription.New("The description has more than %d characters.", maxDescriptionRunes)
	}
	return text, nil
}

// shape is the pull request as the API returns it.
func (f found) shape() *types.PullRequest {
	pr := f.PullRequest
	shape := &types.PullRequest{
		ApprovalRules:     []types.ApprovalRule{},
		AuthorArn:         &pr.AuthorARN,
		CreationDate:      &pr.Created,
		LastActivityDate:  &pr.LastActivity,
		PullRequestId:     new(strconv.FormatInt(pr.ID, 10)),
		PullRequestStatus: status(pr),
		RevisionId:        &pr.RevisionID,
		Title:             &pr.Title,
		PullRequestTargets: []types.PullRequestTarget{{
			RepositoryName:       &f.repository.Name,
			SourceReference:      new(string(pr.Source)),
			DestinationReference: new(string(pr.Destination)),
			SourceCommit:         idText(pr.SourceCommit),
			DestinationCommit:    idText(pr.DestCommit),
			MergeBase:            idText(pr.MergeBase),
			MergeMetadata:        mergeMetadata(pr),
		}},
	}
	if pr.HasDescription {
		shape.Description = &pr.Description
	}
	if pr.Token != "" {
		shape.ClientRequestToken = &pr.Token
	}
	return shape
}

func status(pr PullRequest) types.PullRequestStatusEnum {
	if pr.Closed {
		return types.PullRequestStatusEnumClosed
	}
	return types.PullRequestStatusEnumOpen
}

func mergeMetadata(pr PullRequest) *types.MergeMetadata {
	if !pr.Merged {
		return &types.MergeMetadata{}
	}
	return &types.MergeMetadata{
		IsMerged:      true,
		MergedBy:      &pr.MergedBy,
		MergeCommitId: idText(pr.MergeCommit),
		MergeOption:   types.MergeOptionTypeEnum(pr.MergeOption),
	}
}

// statusChanged is the event of a pull request that was closed.
func statusChanged(status types.PullRequestStatusEnum) *PullRequestEvent {
	return &PullRequestEvent{
		Type:   string(types.PullRequestEventTypePullRequestStatusChanged),
		Detail: eventDetail(types.PullRequestStatusChangedEventMetadata{PullRequestStatus: status}),
	}
}

// listingPurpose names a listing with what it filters by, for its tokens.
func listingPurpose(operation string, filters ...string) string {
	return operation + " " + fmt.Sprintf("%q", filters)
}
