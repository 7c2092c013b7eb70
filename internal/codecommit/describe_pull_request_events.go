package codecommit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/op"
)

var describePullRequestEventsSpec = op.Spec{Service: "codecommit", Name: "DescribePullRequestEvents", Resource: pullRequestResource}

// eventsPage is the default and largest page (API reference, maxResults).
const eventsPage = 100

// DescribePullRequestEvents lists the history of a pull request, oldest first.
func (s *Service) DescribePullRequestEvents() *op.Operation[api.DescribePullRequestEventsInput, api.DescribePullRequestEventsOutput] {
	return &op.Operation[api.DescribePullRequestEventsInput, api.DescribePullRequestEventsOutput]{
		Spec: describePullRequestEventsSpec,
		Checks: func(ctx context.Context, _ authz.Caller, in *api.DescribePullRequestEventsInput) ([]authz.Check, error) {
			if _, err := s.eventListing(in); err != nil {
				return nil, err
			}
			return s.pullRequestChecks(ctx, "DescribePullRequestEvents", in.PullRequestId)
		},
		Run: s.describePullRequestEvents,
	}
}

// eventListing is a validated DescribePullRequestEvents.
type eventListing struct {
	id      int64
	page    Page
	purpose string
}

func (s *Service) eventListing(in *api.DescribePullRequestEventsInput) (eventListing, error) {
	var (
		q eventListing
		e [4]error
	)
	q.id, e[0] = pullRequestID(in.PullRequestId)
	if typ := in.PullRequestEventType; typ != "" && !slices.Contains(typ.Values(), typ) {
		e[1] = errInvalidPullRequestEventType.New("The event type %q is not one of the API's.", typ)
	}
	if actor := textOf(in.ActorArn); actor != "" {
		if _, err := arn.Parse(actor); err != nil {
			e[2] = errInvalidActorARN.New("The actor %q is not an ARN.", actor)
		}
	}
	q.page.Limit, e[3] = maxResults(in.MaxResults, eventsPage)
	if err := firstError(e[:]...); err != nil {
		return q, err
	}
	q.purpose = listingPurpose("DescribePullRequestEvents", textOf(in.PullRequestId), string(in.PullRequestEventType), textOf(in.ActorArn))
	var err error
	q.page.After, err = s.cursor(q.purpose, in.NextToken)
	return q, err
}

func (s *Service) describePullRequestEvents(ctx context.Context, g authz.Grant, in *api.DescribePullRequestEventsInput) (*api.DescribePullRequestEventsOutput, error) {
	q, err := s.eventListing(in)
	if err != nil {
		return nil, err
	}
	var rows []PullRequestEvent
	err = s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		f, err := s.readPullRequest(ctx, tx, q.id)
		if err != nil {
			return err
		}
		if err := s.grantedOn(g, describePullRequestEventsSpec, f); err != nil {
			return err
		}
		p := Page{After: q.page.After, Limit: q.page.Limit + 1}
		rows, err = tx.PullRequestEvents(ctx, s.Account, q.id, string(in.PullRequestEventType), textOf(in.ActorArn), p)
		return err
	})
	if err != nil {
		return nil, err
	}
	rows, more := page(rows, q.page.Limit)
	out := &api.DescribePullRequestEventsOutput{PullRequestEvents: make([]types.PullRequestEvent, len(rows))}
	for i, row := range rows {
		if out.PullRequestEvents[i], err = eventShape(row); err != nil {
			return nil, err
		}
	}
	if more {
		out.NextToken = s.token(q.purpose, strconv.FormatInt(rows[len(rows)-1].Seq, 10))
	}
	return out, nil
}

// eventShape is an event as the API returns it: its metadata is in the member that
// belongs to its type.
func eventShape(e PullRequestEvent) (types.PullRequestEvent, error) {
	shape := types.PullRequestEvent{
		ActorArn:             &e.ActorARN,
		EventDate:            &e.At,
		PullRequestEventType: types.PullRequestEventType(e.Type),
		PullRequestId:        new(strconv.FormatInt(e.PullRequest, 10)),
	}
	var err error
	switch shape.PullRequestEventType {
	case types.PullRequestEventTypePullRequestCreated:
		err = json.Unmarshal(e.Detail, &shape.PullRequestCreatedEventMetadata)
	case types.PullRequestEventTypePullRequestStatusChanged:
		err = json.Unmarshal(e.Detail, &shape.PullRequestStatusChangedEventMetadata)
	case types.PullRequestEventTypePullRequestSourceReferenceUpdated:
		err = json.Unmarshal(e.Detail, &shape.PullRequestSourceReferenceUpdatedEventMetadata)
	case types.PullRequestEventTypePullRequestMergeStateChanged:
		err = json.Unmarshal(e.Detail, &shape.PullRequestMergedStateChangedEventMetadata)
	default:
		err = fmt.Errorf("unknown type %q", e.Type)
	}
	if err != nil {
		return shape, fmt.Errorf("read event %d of pull request %d: %w", e.Seq, e.PullRequest, err)
	}
	return shape, nil
}
