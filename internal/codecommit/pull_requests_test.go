package codecommit_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"
	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/op"
)

// propose is a CreatePullRequest in payments.
func propose(source, destination string) api.CreatePullRequestInput {
	t := types.Target{RepositoryName: new("payments"), SourceReference: &source}
	if destination != "" {
		t.DestinationReference = &destination
	}
	return api.CreatePullRequestInput{Title: new("A change"), Targets: []types.Target{t}}
}

// opened opens a pull request from next into master and returns its ID.
func opened(t *testing.T, h *host) string {
	t.Helper()
	return *do(t, h, "junior", h.CreatePullRequest(), propose("next", "master")).PullRequest.PullRequestId
}

func (h *host) pullRequest(t *testing.T, id string) *types.PullRequest {
	t.Helper()
	return do(t, h, "junior", h.GetPullRequest(), api.GetPullRequestInput{PullRequestId: &id}).PullRequest
}

// history is the types of a pull request's events, without their common prefix.
func (h *host) history(t *testing.T, id string) []string {
	t.Helper()
	out := do(t, h, "junior", h.DescribePullRequestEvents(), api.DescribePullRequestEventsInput{PullRequestId: &id})
	var all []string
	for _, e := range out.PullRequestEvents {
		all = append(all, strings.TrimPrefix(string(e.PullRequestEventType), "PULL_REQUEST_"))
	}
	return all
}

// TestMergeTellsNothingOfAnotherRepository: who names a pull request of one repository and
// another repository does not learn from the refusal into which branch it would go.
func TestMergeTellsNothingOfAnotherRepository(t *testing.T) {
	h, _, _, _ := payments(t)
	in := api.MergePullRequestByFastForwardInput{PullRequestId: new(opened(t, h)), RepositoryName: new("mine")}
	_, err := try(t, h, "nobody", h.MergePullRequestByFastForward(), in)
	if !fault.Has(err, fault.AccessDenied) || strings.Contains(err.Error(), "master") {
		t.Errorf("got %v, want a refusal without the destination", err)
	}
}

func TestTheStory(t *testing.T) {
	h, _, first, second := payments(t)
	created := do(t, h, "junior", h.CreatePullRequest(), propose("next", "")).PullRequest
	id := *created.PullRequestId
	want := &types.PullRequest{
		ApprovalRules: []types.ApprovalRule{}, AuthorArn: new("arn:aws:iam::111122223333:user/junior"),
		CreationDate: &now, LastActivityDate: &now, PullRequestId: new("1"), PullRequestStatus: "OPEN",
		RevisionId: created.RevisionId, Title: new("A change"),
		PullRequestTargets: []types.PullRequestTarget{{
			RepositoryName: new("payments"), SourceReference: new("refs/heads/next"), DestinationReference: new("refs/heads/master"),
			SourceCommit: new(second.String()), DestinationCommit: new(first.String()), MergeBase: new(first.String()),
			MergeMetadata: &types.MergeMetadata{},
		}},
	}
	created.CreationDate, created.LastActivityDate = new(created.CreationDate.Round(0)), new(created.LastActivityDate.Round(0))
	if diff := cmp.Diff(want, created, ignoreMetadata); diff != "" {
		t.Error(diff)
	}

	merge := api.MergePullRequestByFastForwardInput{PullRequestId: &id, RepositoryName: new("payments")}
	_, err := try(t, h, "junior", h.MergePullRequestByFastForward(), merge)
	if !fault.Has(err, fault.AccessDenied) || !strings.Contains(err.Error(), "ProtectMaster") || !strings.Contains(err.Error(), "ask someone who may merge") {
		t.Errorf("got %v", err)
	}
	refuse(t, h, "junior", h.MergeBranchesByFastForward(), api.MergeBranchesByFastForwardInput{
		RepositoryName: new("payments"), SourceCommitSpecifier: new("next"), DestinationCommitSpecifier: new("master"),
	}, "AccessDenied")
	if h.tip(t, "payments", master) != first {
		t.Fatal("a refused merge moved master")
	}

	merged := do(t, h, "senior", h.MergePullRequestByFastForward(), merge).PullRequest
	meta := merged.PullRequestTargets[0].MergeMetadata
	if merged.PullRequestStatus != "CLOSED" || !meta.IsMerged || *meta.MergedBy != "arn:aws:iam::111122223333:user/senior" ||
		*meta.MergeCommitId != second.String() || meta.MergeOption != "FAST_FORWARD_MERGE" {
		t.Errorf("merged as %s %+v", merged.PullRequestStatus, meta)
	}
	if got := h.tip(t, "payments", master); got != second {
		t.Errorf("master is at %s", got)
	}
	if diff := cmp.Diff([]string{"CREATED", "MERGE_STATE_CHANGED", "STATUS_CHANGED"}, h.history(t, id)); diff != "" {
		t.Error(diff)
	}
	refuse(t, h, "senior", h.MergePullRequestByFastForward(), merge, "PullRequestAlreadyClosed")
	refuse(t, h, "senior", h.UpdatePullRequestTitle(), api.UpdatePullRequestTitleInput{PullRequestId: &id, Title: new("x")}, "PullRequestAlreadyClosed")
	refuse(t, h, "senior", h.UpdatePullRequestDescription(), api.UpdatePullRequestDescriptionInput{PullRequestId: &id, Description: new("x")}, "PullRequestAlreadyClosed")
	refuse(t, h, "senior", h.UpdatePullRequestStatus(), api.UpdatePullRequestStatusInput{PullRequestId: &id, PullRequestStatus: "OPEN"}, "InvalidPullRequestStatusUpdate")
	do(t, h, "senior", h.UpdatePullRequestStatus(), api.UpdatePullRequestStatusInput{PullRequestId: &id, PullRequestStatus: "CLOSED"})
}

// What moves a branch is followed by the pull requests on it, whoever moves it.
func TestPullRequestsFollow(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, h *host, first, second, third oid.ID)
		want   func(first, second, third oid.ID) (source, destination oid.ID)
		status types.PullRequestStatusEnum
		merged bool
		events []string
	}{
		{
			name: "a push to the source",
			change: func(t *testing.T, h *host, _, second, third oid.ID) {
				h.pushed(t, "junior", "payments", nil, codecommit.RefCommand{Ref: "refs/heads/next", Old: second, New: third})
			},
			want:   func(first, _, third oid.ID) (oid.ID, oid.ID) { return third, first },
			status: "OPEN",
			events: []string{"CREATED", "SOURCE_REFERENCE_UPDATED"},
		},
		{
			name: "a push of the merge",
			change: func(t *testing.T, h *host, first, _, third oid.ID) {
				h.pushed(t, "senior", "payments", nil, codecommit.RefCommand{Ref: master, Old: first, New: third})
			},
			want:   func(_, second, third oid.ID) (oid.ID, oid.ID) { return second, third },
			status: "CLOSED", merged: true,
			events: []string{"CREATED", "MERGE_STATE_CHANGED", "STATUS_CHANGED"},
		},
		{
			name: "a merge of branches",
			change: func(t *testing.T, h *host, _, _, _ oid.ID) {
				do(t, h, "senior", h.MergeBranchesByFastForward(), api.MergeBranchesByFastForwardInput{
					RepositoryName: new("payments"), SourceCommitSpecifier: new("next"), DestinationCommitSpecifier: new("HEAD"),
				})
			},
			want:   func(_, second, _ oid.ID) (oid.ID, oid.ID) { return second, second },
			status: "CLOSED", merged: true,
			events: []string{"CREATED", "MERGE_STATE_CHANGED", "STATUS_CHANGED"},
		},
		{
			name: "the source is deleted",
			change: func(t *testing.T, h *host, _, _, _ oid.ID) {
				do(t, h, "junior", h.DeleteBranch(), api.DeleteBranchInput{RepositoryName: new("payments"), BranchName: new("next")})
			},
			want:   func(first, second, _ oid.ID) (oid.ID, oid.ID) { return second, first },
			status: "CLOSED",
			events: []string{"CREATED", "STATUS_CHANGED"},
		},
		{
			name: "a push deletes the destination",
			change: func(t *testing.T, h *host, first, _, _ oid.ID) {
				do(t, h, "senior", h.UpdateDefaultBranch(), api.UpdateDefaultBranchInput{RepositoryName: new("payments"), DefaultBranchName: new("third")})
				h.pushed(t, "senior", "payments", nil, codecommit.RefCommand{Ref: master, Old: first})
			},
			want:   func(first, second, _ oid.ID) (oid.ID, oid.ID) { return second, first },
			status: "CLOSED",
			events: []string{"CREATED", "STATUS_CHANGED"},
		},
		{
			name: "merge and clean up in one push",
			change: func(t *testing.T, h *host, first, second, _ oid.ID) {
				h.pushed(t, "senior", "payments", nil,
					codecommit.RefCommand{Ref: master, Old: first, New: second},
					codecommit.RefCommand{Ref: "refs/heads/next", Old: second})
			},
			want:   func(_, second, _ oid.ID) (oid.ID, oid.ID) { return second, second },
			status: "CLOSED", merged: true,
			events: []string{"CREATED", "MERGE_STATE_CHANGED", "STATUS_CHANGED"},
		},
		{
			name: "a refused push",
			change: func(t *testing.T, h *host, first, second, _ oid.ID) {
				h.push(t, "junior", "payments", nil, codecommit.RefCommand{Ref: master, Old: first, New: second})
			},
			want:   func(first, second, _ oid.ID) (oid.ID, oid.ID) { return second, first },
			status: "OPEN",
			events: []string{"CREATED"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h, git, first, second := payments(t)
			third := git.Commit("docs/more.md", "three\n")
			h.pushed(t, "senior", "payments", git, codecommit.RefCommand{Ref: "refs/heads/third", New: third})
			id := opened(t, h)
			before := h.pullRequest(t, id)
			tc.change(t, h, first, second, third)
			pr := h.pullRequest(t, id)
			source, destination := tc.want(first, second, third)
			target := pr.PullRequestTargets[0]
			if *target.SourceCommit != source.String() || *target.DestinationCommit != destination.String() || *target.MergeBase != first.String() {
				t.Errorf("source %s, destination %s, base %s", *target.SourceCommit, *target.DestinationCommit, *target.MergeBase)
			}
			if pr.PullRequestStatus != tc.status || target.MergeMetadata.IsMerged != tc.merged {
				t.Errorf("%s, merged %v", pr.PullRequestStatus, target.MergeMetadata.IsMerged)
			}
			if moved := source != second; (*pr.RevisionId != *before.RevisionId) != moved {
				t.Errorf("revision %s, before %s", *pr.RevisionId, *before.RevisionId)
			}
			if diff := cmp.Diff(tc.events, h.history(t, id)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The invariant that the walks rely on: while a pull request is open it is at the tips
// of its branches, and pushes that race with it do not break that.
func TestPullRequestsFollowRaces(t *testing.T) {
	h, git, first, second := payments(t)
	const n = 5
	ids := []oid.ID{second}
	for i := range n {
		ids = append(ids, git.Commit("docs/race.md", fmt.Sprint(i)))
	}
	h.pushed(t, "senior", "payments", git, codecommit.RefCommand{Ref: "refs/heads/all", New: ids[n]})
	var wg sync.WaitGroup
	invoke := func(o *op.Operation[codecommit.GitPushInput, codecommit.GitPushOutput], c codecommit.RefCommand) {
		in := codecommit.GitPushInput{RepositoryName: "payments", Commands: []codecommit.RefCommand{c}}
		if out, err := op.Invoke(t.Context(), h.authorizer, as("senior"), o, &in); err != nil || out.Results[0].Reason != "" {
			t.Errorf("%+v %v", out, err)
		}
	}
	wg.Go(func() {
		for i := range n {
			invoke(h.GitPush(), codecommit.RefCommand{Ref: "refs/heads/next", Old: ids[i], New: ids[i+1]})
		}
	})
	for i := range n {
		wg.Go(func() {
			in := propose("next", "master")
			in.Title = new(fmt.Sprint("race ", i))
			if _, err := op.Invoke(t.Context(), h.authorizer, as("junior"), h.CreatePullRequest(), &in); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	list := do(t, h, "junior", h.ListPullRequests(), api.ListPullRequestsInput{RepositoryName: new("payments"), PullRequestStatus: "OPEN"})
	if len(list.PullRequestIds) != n {
		t.Errorf("%d pull requests", len(list.PullRequestIds))
	}
	for _, id := range list.PullRequestIds {
		target := h.pullRequest(t, id).PullRequestTargets[0]
		if *target.SourceCommit != ids[n].String() || *target.DestinationCommit != first.String() {
			t.Errorf("pull request %s is at %s, the branch at %s", id, *target.SourceCommit, ids[n])
		}
	}
}

// Of merges and pushes that race for one branch, each either wins or says why not, and
// the pull request ends merged once.
func TestConcurrentMerges(t *testing.T) {
	h, _, first, second := payments(t)
	id := opened(t, h)
	errs := make([]error, 6)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			in := api.MergePullRequestByFastForwardInput{PullRequestId: &id, RepositoryName: new("payments")}
			_, errs[i] = op.Invoke(t.Context(), h.authorizer, as("senior"), h.MergePullRequestByFastForward(), &in)
		})
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		f, ok := errors.AsType[*fault.Fault](err)
		switch {
		case err == nil:
			won++
		case !ok || f.Code.Name != "PullRequestAlreadyClosedException":
			t.Error(err)
		}
	}
	if got := h.tip(t, "payments", master); won != 1 || got != second {
		t.Errorf("%d merges won, master is at %s, was %s", won, got, first)
	}
	if diff := cmp.Diff([]string{"CREATED", "MERGE_STATE_CHANGED", "STATUS_CHANGED"}, h.history(t, id)); diff != "" {
		t.Error(diff)
	}
}

func TestCreatePullRequestRefusals(t *testing.T) {
	h, git, first, _ := payments(t)
	h.repository(t, "empty")
	git.Git("tag", "v1", first.String())
	h.pushed(t, "senior", "payments", git, codecommit.RefCommand{Ref: "refs/tags/v1", New: first})
	with := func(in api.CreatePullRequestInput, change func(in *api.CreatePullRequestInput)) api.CreatePullRequestInput {
		change(&in)
		return in
	}
	target := func(name string) types.Target {
		return types.Target{RepositoryName: &name, SourceReference: new("next")}
	}
	for _, tc := range []struct {
		name string
		in   api.CreatePullRequestInput
		code string
	}{
		{"no title", with(propose("next", ""), func(in *api.CreatePullRequestInput) { in.Title = new("") }), "TitleRequired"},
		{"long title", with(propose("next", ""), func(in *api.CreatePullRequestInput) { in.Title = new(strings.Repeat("x", 151)) }), "InvalidTitle"},
		{"long description", with(propose("next", ""), func(in *api.CreatePullRequestInput) { in.Description = new(strings.Repeat("x", 10241)) }), "InvalidDescription"},
		{"no target", with(propose("next", ""), func(in *api.CreatePullRequestInput) { in.Targets = nil }), "TargetsRequired"},
		{"two targets", with(propose("next", ""), func(in *api.CreatePullRequestInput) {
			in.Targets = []types.Target{target("payments"), target("payments")}
		}), "InvalidTargets"},
		{"two repositories", with(propose("next", ""), func(in *api.CreatePullRequestInput) { in.Targets = []types.Target{target("payments"), target("empty")} }), "MultipleRepositoriesInPullRequest"},
		{"no repository", with(propose("next", ""), func(in *api.CreatePullRequestInput) { in.Targets = []types.Target{target("")} }), "RepositoryNameRequired"},
		{"unknown repository", with(propose("next", ""), func(in *api.CreatePullRequestInput) { in.Targets = []types.Target{target("other")} }), "RepositoryDoesNotExist"},
		{"empty repository", with(propose("next", ""), func(in *api.CreatePullRequestInput) { in.Targets = []types.Target{target("empty")} }), "ReferenceDoesNotExist"},
		{"no source", propose("", ""), "ReferenceNameRequired"},
		{"bad source", propose("a..b", ""), "InvalidReferenceName"},
		{"unknown source", propose("other", ""), "ReferenceDoesNotExist"},
		{"unknown destination", propose("next", "other"), "ReferenceDoesNotExist"},
		{"a tag", propose("v1", ""), "ReferenceTypeNotSupported"},
		{"a tag's full name", propose("next", "refs/tags/v1"), "ReferenceTypeNotSupported"},
		{"the same", propose("master", "refs/heads/master"), "SourceAndDestinationAreSame"},
		{"the same by default", propose("master", ""), "SourceAndDestinationAreSame"},
		{"long token", with(propose("next", ""), func(in *api.CreatePullRequestInput) { in.ClientRequestToken = new(strings.Repeat("x", 65)) }), "InvalidClientRequestToken"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			refuse(t, h, "senior", h.CreatePullRequest(), tc.in, tc.code)
		})
	}
	refuse(t, h, "nobody", h.CreatePullRequest(), propose("next", ""), "AccessDenied")
}

func TestCreatePullRequestTwice(t *testing.T) {
	h, _, _, _ := payments(t)
	in := propose("next", "master")
	in.ClientRequestToken = new("token")
	ids := make([]string, 4)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			again := in
			out, err := op.Invoke(t.Context(), h.authorizer, as("junior"), h.CreatePullRequest(), &again)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = *out.PullRequest.PullRequestId
		})
	}
	wg.Wait()
	if slices.Sort(ids); ids[0] != ids[len(ids)-1] {
		t.Errorf("one token made the pull requests %q", ids)
	}
	refuse(t, h, "senior", h.CreatePullRequest(), in, "IdempotencyParameterMismatch")
	in.Title = new("another")
	refuse(t, h, "junior", h.CreatePullRequest(), in, "IdempotencyParameterMismatch")
}

func TestPullRequestOperations(t *testing.T) {
	h, _, _, _ := payments(t)
	h.repository(t, "other")
	id := opened(t, h)
	do(t, h, "senior", h.UpdatePullRequestTitle(), api.UpdatePullRequestTitleInput{PullRequestId: &id, Title: new("Better")})
	pr := do(t, h, "senior", h.UpdatePullRequestDescription(), api.UpdatePullRequestDescriptionInput{PullRequestId: &id, Description: new("")}).PullRequest
	if *pr.Title != "Better" || pr.Description == nil || *pr.Description != "" {
		t.Errorf("title %q, description %v", *pr.Title, pr.Description)
	}
	do(t, h, "senior", h.UpdatePullRequestStatus(), api.UpdatePullRequestStatusInput{PullRequestId: &id, PullRequestStatus: "OPEN"})

	refuse(t, h, "senior", h.UpdatePullRequestTitle(), api.UpdatePullRequestTitleInput{PullRequestId: &id}, "TitleRequired")
	refuse(t, h, "senior", h.UpdatePullRequestDescription(), api.UpdatePullRequestDescriptionInput{PullRequestId: &id}, "InvalidDescription")
	refuse(t, h, "senior", h.UpdatePullRequestStatus(), api.UpdatePullRequestStatusInput{PullRequestId: &id}, "PullRequestStatusRequired")
	refuse(t, h, "senior", h.UpdatePullRequestStatus(), api.UpdatePullRequestStatusInput{PullRequestId: &id, PullRequestStatus: "MERGED"}, "InvalidPullRequestStatus")
	refuse(t, h, "senior", h.GetPullRequest(), api.GetPullRequestInput{}, "PullRequestIdRequired")
	refuse(t, h, "senior", h.GetPullRequest(), api.GetPullRequestInput{PullRequestId: new("one")}, "InvalidPullRequestId")
	refuse(t, h, "nobody", h.GetPullRequest(), api.GetPullRequestInput{PullRequestId: new("99")}, "PullRequestDoesNotExist")
	refuse(t, h, "nobody", h.GetPullRequest(), api.GetPullRequestInput{PullRequestId: &id}, "AccessDenied")
	refuse(t, h, "nobody", h.UpdatePullRequestTitle(), api.UpdatePullRequestTitleInput{PullRequestId: &id, Title: new("x")}, "AccessDenied")

	merge := api.MergePullRequestByFastForwardInput{PullRequestId: &id, RepositoryName: new("payments")}
	for _, tc := range []struct {
		change func(in *api.MergePullRequestByFastForwardInput)
		code   string
	}{
		{func(in *api.MergePullRequestByFastForwardInput) { in.RepositoryName = nil }, "RepositoryNameRequired"},
		{func(in *api.MergePullRequestByFastForwardInput) { in.RepositoryName = new("unknown") }, "RepositoryDoesNotExist"},
		{func(in *api.MergePullRequestByFastForwardInput) { in.RepositoryName = new("other") }, "RepositoryNotAssociatedWithPullRequest"},
		{func(in *api.MergePullRequestByFastForwardInput) { in.SourceCommitId = new("abc") }, "InvalidCommitId"},
		{func(in *api.MergePullRequestByFastForwardInput) { in.SourceCommitId = new(oid.ID{1}.String()) }, "TipOfSourceReferenceIsDifferent"},
		{func(in *api.MergePullRequestByFastForwardInput) { in.PullRequestId = new("99") }, "PullRequestDoesNotExist"},
	} {
		in := merge
		tc.change(&in)
		refuse(t, h, "senior", h.MergePullRequestByFastForward(), in, tc.code)
	}
	do(t, h, "senior", h.PutFile(), put("master", "diverged", "x", h.tip(t, "payments", master)))
	refuse(t, h, "senior", h.MergePullRequestByFastForward(), merge, "ManualMergeRequired")
	branches := func(source, destination string) api.MergeBranchesByFastForwardInput {
		return api.MergeBranchesByFastForwardInput{RepositoryName: new("payments"), SourceCommitSpecifier: &source, DestinationCommitSpecifier: &destination}
	}
	refuse(t, h, "senior", h.MergeBranchesByFastForward(), branches("next", "master"), "ManualMergeRequired")
	refuse(t, h, "senior", h.MergeBranchesByFastForward(), branches("next", "nothing"), "BranchDoesNotExist")
	refuse(t, h, "senior", h.MergeBranchesByFastForward(), branches("nothing", "master"), "CommitDoesNotExist")
	refuse(t, h, "senior", h.MergeBranchesByFastForward(), branches("", "master"), "CommitRequired")
	refuse(t, h, "senior", h.MergeBranchesByFastForward(), branches("a~1", "master"), "InvalidCommit")
	refuse(t, h, "senior", h.MergeBranchesByFastForward(), branches("next", h.tip(t, "payments", master).String()), "InvalidTargetBranch")
}

// The branch that a merge moves is the one that was asked about, whatever names it.
func TestMergeBranchesAsksAboutTheTarget(t *testing.T) {
	h, _, first, second := payments(t)
	for _, destination := range []string{"master", "refs/heads/master", "HEAD", first.String()} {
		in := api.MergeBranchesByFastForwardInput{
			RepositoryName: new("payments"), SourceCommitSpecifier: new("next"), DestinationCommitSpecifier: &destination, TargetBranch: new("master"),
		}
		refuse(t, h, "junior", h.MergeBranchesByFastForward(), in, "AccessDenied")
		if in.TargetBranch = nil; destination != first.String() {
			refuse(t, h, "junior", h.MergeBranchesByFastForward(), in, "AccessDenied")
		}
	}
	do(t, h, "senior", h.CreateBranch(), api.CreateBranchInput{RepositoryName: new("payments"), BranchName: new("mine"), CommitId: new(first.String())})
	out := do(t, h, "junior", h.MergeBranchesByFastForward(), api.MergeBranchesByFastForwardInput{
		RepositoryName: new("payments"), SourceCommitSpecifier: new(second.String()), DestinationCommitSpecifier: new(first.String()), TargetBranch: new("mine"),
	})
	if *out.CommitId != second.String() || h.tip(t, "payments", "refs/heads/mine") != second || h.tip(t, "payments", master) != first {
		t.Errorf("merged to %s, mine is at %s", *out.CommitId, h.tip(t, "payments", "refs/heads/mine"))
	}
}

func TestListsOfPullRequests(t *testing.T) {
	h, _, first, _ := payments(t)
	const n = 7
	for i := range n {
		in := propose("next", fmt.Sprint("target", i))
		do(t, h, "senior", h.CreateBranch(), api.CreateBranchInput{RepositoryName: new("payments"), BranchName: new(fmt.Sprint("target", i)), CommitId: new(first.String())})
		user := []string{"junior", "senior"}[i%2]
		do(t, h, user, h.CreatePullRequest(), in)
	}
	do(t, h, "junior", h.UpdatePullRequestStatus(), api.UpdatePullRequestStatusInput{PullRequestId: new("3"), PullRequestStatus: "CLOSED"})
	list := func(change func(in *api.ListPullRequestsInput)) []string {
		in := api.ListPullRequestsInput{RepositoryName: new("payments"), MaxResults: new(int32(2))}
		change(&in)
		var all []string
		for {
			out := do(t, h, "junior", h.ListPullRequests(), in)
			if len(out.PullRequestIds) > 2 {
				t.Fatalf("%d on one page", len(out.PullRequestIds))
			}
			all = append(all, out.PullRequestIds...)
			if in.NextToken = out.NextToken; in.NextToken == nil {
				return all
			}
		}
	}
	for _, tc := range []struct {
		name   string
		change func(in *api.ListPullRequestsInput)
		want   []string
	}{
		{"all", func(*api.ListPullRequestsInput) {}, []string{"7", "6", "5", "4", "3", "2", "1"}},
		{"open", func(in *api.ListPullRequestsInput) { in.PullRequestStatus = "OPEN" }, []string{"7", "6", "5", "4", "2", "1"}},
		{"closed", func(in *api.ListPullRequestsInput) { in.PullRequestStatus = "CLOSED" }, []string{"3"}},
		{"by author", func(in *api.ListPullRequestsInput) { in.AuthorArn = new("arn:aws:iam::111122223333:user/senior") }, []string{"6", "4", "2"}},
	} {
		if diff := cmp.Diff(tc.want, list(tc.change)); diff != "" {
			t.Errorf("%s: %s", tc.name, diff)
		}
	}
	in := api.ListPullRequestsInput{RepositoryName: new("payments"), MaxResults: new(int32(2))}
	token := do(t, h, "junior", h.ListPullRequests(), in).NextToken
	refuse(t, h, "junior", h.ListPullRequests(), api.ListPullRequestsInput{RepositoryName: new("payments"), PullRequestStatus: "OPEN", NextToken: token}, "InvalidContinuationToken")
	refuse(t, h, "junior", h.ListPullRequests(), api.ListPullRequestsInput{RepositoryName: new("payments"), MaxResults: new(int32(0))}, "InvalidMaxResults")
	refuse(t, h, "junior", h.ListPullRequests(), api.ListPullRequestsInput{RepositoryName: new("payments"), AuthorArn: new("junior")}, "InvalidAuthorArn")
	refuse(t, h, "junior", h.ListPullRequests(), api.ListPullRequestsInput{RepositoryName: new("payments"), PullRequestStatus: "x"}, "InvalidPullRequestStatus")
	refuse(t, h, "senior", h.ListPullRequests(), api.ListPullRequestsInput{RepositoryName: new("other")}, "RepositoryDoesNotExist")

	events := api.DescribePullRequestEventsInput{PullRequestId: new("3"), MaxResults: new(int32(1))}
	page := do(t, h, "junior", h.DescribePullRequestEvents(), events)
	if len(page.PullRequestEvents) != 1 || *page.PullRequestEvents[0].PullRequestCreatedEventMetadata.SourceCommitId == "" || page.NextToken == nil {
		t.Fatalf("got %+v", page)
	}
	events.NextToken = page.NextToken
	page = do(t, h, "junior", h.DescribePullRequestEvents(), events)
	if len(page.PullRequestEvents) != 1 || page.PullRequestEvents[0].PullRequestStatusChangedEventMetadata.PullRequestStatus != "CLOSED" || page.NextToken != nil {
		t.Errorf("got %+v", page)
	}
	refuse(t, h, "junior", h.DescribePullRequestEvents(), api.DescribePullRequestEventsInput{PullRequestId: new("3"), PullRequestEventType: "x"}, "InvalidPullRequestEventType")
	refuse(t, h, "junior", h.DescribePullRequestEvents(), api.DescribePullRequestEventsInput{PullRequestId: new("3"), ActorArn: new("x")}, "InvalidActorArn")
	refuse(t, h, "nobody", h.DescribePullRequestEvents(), api.DescribePullRequestEventsInput{PullRequestId: new("3")}, "AccessDenied")
}
