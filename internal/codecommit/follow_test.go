package codecommit

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/git/oid"
)

// What becomes of a pull request from refs/heads/s at commit 1 into refs/heads/d at
// commit 2, with the merge base 3.
func TestEndsApply(t *testing.T) {
	const actor = "arn:aws:iam::111122223333:user/dev"
	at := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	id := func(n byte) oid.ID { return oid.ID{n} }
	pr := PullRequest{
		ID: 7, Source: "refs/heads/s", Destination: "refs/heads/d",
		SourceCommit: id(1), DestCommit: id(2), MergeBase: id(3), RevisionID: "before",
	}
	const (
		updated = "PULL_REQUEST_SOURCE_REFERENCE_UPDATED"
		merged  = "PULL_REQUEST_MERGE_STATE_CHANGED"
		closed  = "PULL_REQUEST_STATUS_CHANGED"
	)
	for _, tc := range []struct {
		name     string
		moves    []RefMove
		base     oid.ID
		merging  bool
		contains bool // the destination contained the source before
		want     PullRequest
		events   []string
	}{
		{
			name:   "the source moves",
			moves:  []RefMove{{Ref: "refs/heads/s", Old: id(1), New: id(4)}},
			base:   id(3),
			want:   PullRequest{SourceCommit: id(4), DestCommit: id(2), MergeBase: id(3)},
			events: []string{updated},
		},
		{
			name:  "the destination moves elsewhere",
			moves: []RefMove{{Ref: "refs/heads/d", Old: id(2), New: id(5)}},
			base:  id(3),
			want:  PullRequest{SourceCommit: id(1), DestCommit: id(5), MergeBase: id(3)},
		},
		{
			name:  "the destination moves to the source",
			moves: []RefMove{{Ref: "refs/heads/d", Old: id(2), New: id(1)}},
			base:  id(1),
			want: PullRequest{
				SourceCommit: id(1), DestCommit: id(1), MergeBase: id(3), Closed: true, Merged: true,
				MergedBy: actor, MergeCommit: id(1), MergeOption: "FAST_FORWARD_MERGE",
			},
			events: []string{merged, closed},
		},
		{
			name:  "the destination moves to a merge of the source",
			moves: []RefMove{{Ref: "refs/heads/d", Old: id(2), New: id(6)}},
			base:  id(1),
			want: PullRequest{
				SourceCommit: id(1), DestCommit: id(6), MergeBase: id(3), Closed: true, Merged: true,
				MergedBy: actor, MergeCommit: id(6),
			},
			events: []string{merged, closed},
		},
		{
			name: "merge and deletion of the source in one push",
			moves: []RefMove{
				{Ref: "refs/heads/d", Old: id(2), New: id(1)},
				{Ref: "refs/heads/s", Old: id(1)},
			},
			base: id(1),
			want: PullRequest{
				SourceCommit: id(1), DestCommit: id(1), MergeBase: id(3), Closed: true, Merged: true,
				MergedBy: actor, MergeCommit: id(1), MergeOption: "FAST_FORWARD_MERGE",
			},
			events: []string{merged, closed},
		},
		{
			name:   "the source is deleted",
			moves:  []RefMove{{Ref: "refs/heads/s", Old: id(1)}},
			base:   id(3),
			want:   PullRequest{SourceCommit: id(1), DestCommit: id(2), MergeBase: id(3), Closed: true},
			events: []string{closed},
		},
		{
			name:   "the destination is deleted",
			moves:  []RefMove{{Ref: "refs/heads/d", Old: id(2)}},
			want:   PullRequest{SourceCommit: id(1), DestCommit: id(2), MergeBase: id(3), Closed: true},
			events: []string{closed},
		},
		{
			name:     "nothing to merge, and the destination moves on",
			moves:    []RefMove{{Ref: "refs/heads/d", Old: id(2), New: id(5)}},
			base:     id(1),
			contains: true,
			want:     PullRequest{SourceCommit: id(1), DestCommit: id(5), MergeBase: id(1)},
		},
		{
			name:     "nothing to merge, and it is merged",
			moves:    []RefMove{{Ref: "refs/heads/d", Old: id(2), New: id(2)}},
			base:     id(1),
			contains: true,
			merging:  true,
			want: PullRequest{
				SourceCommit: id(1), DestCommit: id(2), MergeBase: id(1), Closed: true, Merged: true,
				MergedBy: actor, MergeCommit: id(2), MergeOption: "FAST_FORWARD_MERGE",
			},
			events: []string{merged, closed},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			before := pr
			if tc.contains {
				before.MergeBase = id(1)
			}
			e := endsAfter(before, tc.moves)
			e.base, e.merging, e.repository = tc.base, tc.merging, "payments"
			got := e.apply(before, PullRequestEvent{PullRequest: 7, ActorARN: actor, At: at})

			want := tc.want
			want.ID, want.Source, want.Destination = 7, "refs/heads/s", "refs/heads/d"
			want.RevisionID = "before"
			if got.after.SourceCommit != before.SourceCommit {
				if len(got.after.RevisionID) != 64 {
					t.Errorf("revision ID %q, want a new one", got.after.RevisionID)
				}
				want.RevisionID = got.after.RevisionID
			}
			if tc.events != nil {
				want.LastActivity = at
			}
			if diff := cmp.Diff(want, got.after); diff != "" {
				t.Errorf("after (-want +got):\n%s", diff)
			}
			var events []string
			for _, event := range got.events {
				events = append(events, event.Type)
				if event.PullRequest != 7 || event.ActorARN != actor || !event.At.Equal(at) {
					t.Errorf("event %+v", event)
				}
				if _, err := eventShape(event); err != nil {
					t.Error(err)
				}
			}
			if diff := cmp.Diff(tc.events, events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// A title that was changed between plan and transaction stays.
func TestFollowedOver(t *testing.T) {
	f := followed{after: PullRequest{Title: "old", Closed: true, SourceCommit: oid.ID{9}}}
	got := f.over(PullRequest{ID: 1, Title: "new", Description: "kept"})
	want := PullRequest{ID: 1, Title: "new", Description: "kept", Closed: true, SourceCommit: oid.ID{9}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEventShapeRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, e := range []PullRequestEvent{{Type: "SOMETHING"}, {Type: "PULL_REQUEST_CREATED", Detail: []byte("{")}} {
		if _, err := eventShape(e); err == nil {
			t.Errorf("%+v: no error", e)
		}
	}
}

// The detail of an event is kept in the SDK's member names.
func TestEventDetail(t *testing.T) {
	var got map[string]any
	detail := eventDetail(types.PullRequestCreatedEventMetadata{RepositoryName: new("payments"), MergeBase: idText(oid.ID{1})})
	if err := json.Unmarshal(detail, &got); err != nil {
		t.Fatal(err)
	}
	if got["RepositoryName"] != "payments" || got["MergeBase"] != (oid.ID{1}).String() {
		t.Errorf("got %v", got)
	}
}
