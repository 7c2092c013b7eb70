package codecommit

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// An open pull request follows its branches: SourceCommit and DestCommit are the tips
// of the two at every generation, because whoever moves a branch updates the pull
// requests on it in the same transaction. What takes a walk of commits is found
// before the transaction (planFollowing); the transaction applies the plan only when
// the pull requests are still those that were planned for (applyPlan).

// errPlan says that the open pull requests are not those that were planned for.
var errPlan = errors.New("pull requests changed in the meantime")

// followed is an open pull request before and after its branches move.
type followed struct {
	before, after PullRequest
	events        []PullRequestEvent
}

// planFollowing finds the open pull requests that a change touches and works out
// what becomes of each.
func (s *Service) planFollowing(ctx context.Context, g authz.Grant, c refChange) ([]followed, error) {
	var open []PullRequest
	err := s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		var err error
		open, err = openOn(ctx, tx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	if c.merges != 0 && !slices.ContainsFunc(open, func(pr PullRequest) bool { return pr.ID == c.merges }) {
		return nil, fmt.Errorf("%w: pull request %d is not open", errOutdated, c.merges)
	}
	if len(open) == 0 {
		return nil, nil
	}
	objects, err := s.objectsFor(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { _ = objects.Close() }()
	plan := make([]followed, 0, len(open))
	for _, pr := range open {
		f, err := s.follow(ctx, g, objects, c, pr)
		if err != nil {
			return nil, fmt.Errorf("follow pull request %d: %w", pr.ID, err)
		}
		plan = append(plan, f)
	}
	return plan, nil
}

// objectsFor reads the objects that the walks of a change need: those of the
// repository as it is now, since a pull request's other branch may have moved after
// the change was checked, and those that the change brings.
func (s *Service) objectsFor(ctx context.Context, c refChange) (*repo.Objects, error) {
	_, snap, err := s.load(ctx, c.repository.Name)
	if err != nil {
		return nil, err
	}
	objects, err := s.Repos.Objects(ctx, snap)
	if err != nil || c.incoming == nil {
		return objects, err
	}
	if err := objects.Close(); err != nil {
		return nil, err
	}
	return c.incoming.Objects(ctx)
}

// openOn returns the open pull requests whose source or destination the change
// touches, in order of ID.
func openOn(ctx context.Context, tx Reader, c refChange) ([]PullRequest, error) {
	n, err := tx.CountOpenPullRequests(ctx, c.repository.ID)
	if err != nil || n == 0 {
		return nil, err
	}
	byID := map[int64]PullRequest{}
	for _, m := range c.moves {
		if !m.Ref.IsBranch() {
			continue
		}
		prs, err := tx.OpenPullRequestsOn(ctx, c.repository.ID, m.Ref)
		if err != nil {
			return nil, err
		}
		for _, pr := range prs {
			byID[pr.ID] = pr
		}
	}
	var open []PullRequest
	for _, pr := range byID {
		open = append(open, pr)
	}
	slices.SortFunc(open, func(a, b PullRequest) int { return cmp.Compare(a.ID, b.ID) })
	return open, nil
}

// follow works out one pull request.
func (s *Service) follow(ctx context.Context, g authz.Grant, objects *repo.Objects, c refChange, pr PullRequest) (followed, error) {
	e := endsAfter(pr, c.moves)
	if !e.dest.IsZero() {
		var err error
		if e.base, err = objects.MergeBase(ctx, e.sourceOr(pr), e.dest); err != nil {
			return followed{}, err
		}
	}
	e.merging = pr.ID == c.merges
	e.repository = c.repository.Name
	if e.merging && !e.merged(pr) { // its source moved on since the merge was decided
		return followed{}, fmt.Errorf("%w: the source of the pull request moved", errOutdated)
	}
	return e.apply(pr, PullRequestEvent{PullRequest: pr.ID, ActorARN: g.Caller().Principal.ARN.String(), At: s.now()}), nil
}

// ends is where the two branches of a pull request are after a change; zero: deleted.
type ends struct {
	source, dest oid.ID
	base         oid.ID // merge base of the two; zero where there is none
	merging      bool   // the change is the merge of this pull request
	repository   string // name
}

func endsAfter(pr PullRequest, moves []RefMove) ends {
	at := func(ref refname.Name, was oid.ID) oid.ID {
		if id, ok := tip(moves, ref); ok {
			return id
		}
		return was
	}
	return ends{source: at(pr.Source, pr.SourceCommit), dest: at(pr.Destination, pr.DestCommit)}
}

// sourceOr is the source's tip, or the last one where the branch is deleted.
func (e ends) sourceOr(pr PullRequest) oid.ID {
	if e.source.IsZero() {
		return pr.SourceCommit
	}
	return e.source
}

// merged reports whether the change brought the source into the destination: the
// destination moved and contains the source, which it did not before.
func (e ends) merged(pr PullRequest) bool {
	if e.dest.IsZero() || e.base != e.sourceOr(pr) {
		return false
	}
	return e.merging || e.dest != pr.DestCommit && pr.MergeBase != pr.SourceCommit
}

// apply is the pull request and its events after the change. proto carries what all
// events have in common.
func (e ends) apply(pr PullRequest, proto PullRequestEvent) followed {
	f := followed{before: pr, after: pr}
	record := func(typ types.PullRequestEventType, detail any) {
		event := proto
		event.Type, event.Detail = string(typ), eventDetail(detail)
		f.events = append(f.events, event)
	}
	merged := e.merged(pr)
	if !e.source.IsZero() && e.source != pr.SourceCommit {
		f.after.SourceCommit, f.after.RevisionID = e.source, newRevisionID()
		record(types.PullRequestEventTypePullRequestSourceReferenceUpdated, types.PullRequestSourceReferenceUpdatedEventMetadata{
			RepositoryName: &e.repository,
			BeforeCommitId: idText(pr.SourceCommit),
			AfterCommitId:  idText(e.source),
			MergeBase:      idText(e.base),
		})
	}
	if !e.dest.IsZero() {
		f.after.DestCommit = e.dest
		f.after.MergeBase = e.base
	}
	if merged {
		f.after.Merged, f.after.MergedBy, f.after.MergeCommit = true, proto.ActorARN, e.dest
		f.after.MergeBase = pr.MergeBase // of the work that was merged, not of the merged tips
		if e.merging || e.dest == f.after.SourceCommit {
			f.after.MergeOption = string(types.MergeOptionTypeEnumFastForwardMerge)
		}
		record(types.PullRequestEventTypePullRequestMergeStateChanged, types.PullRequestMergedStateChangedEventMetadata{
			RepositoryName:       &e.repository,
			DestinationReference: new(string(pr.Destination)),
			MergeMetadata:        mergeMetadata(f.after),
		})
	}
	if merged || e.source.IsZero() || e.dest.IsZero() {
		f.after.Closed = true
		record(types.PullRequestEventTypePullRequestStatusChanged, types.PullRequestStatusChangedEventMetadata{
			PullRequestStatus: types.PullRequestStatusEnumClosed,
		})
	}
	if len(f.events) > 0 {
		f.after.LastActivity = proto.At
	}
	return f
}

// applyPlan writes the plan in the transaction that moves the refs, or answers
// errPlan when it is not a plan for the pull requests that are there.
func applyPlan(ctx context.Context, tx Tx, r Repository, c refChange, plan []followed) error {
	open, err := openOn(ctx, tx, c)
	if err != nil {
		return err
	}
	if len(open) != len(plan) {
		return errPlan
	}
	for i, f := range plan {
		if !sameEnds(open[i], f.before) {
			return errPlan
		}
		if err := tx.UpdatePullRequest(ctx, f.over(open[i])); err != nil {
			return err
		}
		for _, e := range f.events {
			if err := tx.AppendPullRequestEvent(ctx, r.Account, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func sameEnds(a, b PullRequest) bool {
	return a.ID == b.ID && a.SourceCommit == b.SourceCommit && a.DestCommit == b.DestCommit && a.MergeBase == b.MergeBase
}

// over lays what the plan changes over the row as it is now: its title and
// description may be newer than the plan.
func (f followed) over(pr PullRequest) PullRequest {
	pr.SourceCommit, pr.DestCommit, pr.MergeBase = f.after.SourceCommit, f.after.DestCommit, f.after.MergeBase
	pr.RevisionID = f.after.RevisionID
	pr.Closed, pr.Merged, pr.MergedBy = f.after.Closed, f.after.Merged, f.after.MergedBy
	pr.MergeCommit, pr.MergeOption = f.after.MergeCommit, f.after.MergeOption
	if f.after.LastActivity.After(pr.LastActivity) {
		pr.LastActivity = f.after.LastActivity
	}
	return pr
}

// newRevisionID is 64 hexadecimal digits that no other revision has.
func newRevisionID() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return hex.EncodeToString(b[:])
}

// idText is the text of an object ID, or nil for none.
func idText(id oid.ID) *string {
	if id.IsZero() {
		return nil
	}
	return new(id.String())
}

// eventDetail is the JSON of an event's metadata: a struct of strings and booleans,
// which always encodes.
func eventDetail(metadata any) []byte {
	b, err := json.Marshal(metadata)
	if err != nil {
		panic(fmt.Sprintf("encode the metadata of an event: %v", err))
	}
	return b
}
