package codecommittest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/refname"
)

func pullRequest() codecommit.PullRequest {
	return codecommit.PullRequest{Account: account, Repository: repoID, Title: "A title", Description: "'; -- <b>", HasDescription: true,
		AuthorARN: "arn:aws:iam::111122223333:user/dev", Source: "refs/heads/feature", Destination: main, SourceCommit: id(2), DestCommit: id(1),
		MergeBase: id(1), RevisionID: "r1", TokenDigest: "d", Created: at, LastActivity: at}
}

// insertPullRequests inserts in one update and returns the rows with their numbers.
func insertPullRequests(t *testing.T, s codecommit.Store, prs ...codecommit.PullRequest) []codecommit.PullRequest {
	t.Helper()
	update(t, s, func(ctx context.Context, tx codecommit.Tx) error {
		var errs []error
		for i := range prs {
			n, err := tx.InsertPullRequest(ctx, prs[i])
			prs[i].ID = n
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	return prs
}

func testPullRequests(t *testing.T, h Host) {
	bare := codecommit.PullRequest{Account: account, Repository: repoID, Source: "refs/heads/\xe4", Destination: main}
	prs := insertPullRequests(t, h.Store, pullRequest(), bare)
	check := func() {
		t.Helper()
		view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
			for _, want := range prs {
				got, err := tx.PullRequest(ctx, account, want.ID)
				if d := cmp.Diff(want, got); d != "" || err != nil {
					t.Errorf("pull request %d: %v (-want +got):\n%s", want.ID, err, d)
				}
			}
			return nil
		})
	}
	check()
	p := &prs[0]
	p.Title, p.Description, p.HasDescription = "new", "", false
	p.SourceCommit, p.DestCommit, p.MergeBase = id(3), id(4), id(5)
	p.Closed, p.Merged, p.MergedBy, p.MergeCommit, p.MergeOption = true, true, "arn:aws:iam::111122223333:user/lead", id(6), "SQUASH_MERGE"
	p.RevisionID, p.LastActivity = "r2", at.Add(time.Hour)
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error { return tx.UpdatePullRequest(ctx, *p) })
	check()
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		for what, other := range map[string]codecommit.PullRequest{
			"a number that was never given": {Account: account, ID: 99}, "another account's": {Account: "444455556666", ID: p.ID},
		} {
			_, err := tx.PullRequest(ctx, other.Account, other.ID)
			wantErr(t, what, err, codecommit.ErrNotFound)
		}
		return nil
	})
	missing := *p
	missing.ID = 99
	wantErr(t, "update of no pull request", h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		return tx.UpdatePullRequest(ctx, missing)
	}), codecommit.ErrNotFound)
}

// testPullRequestNumbers: numbers count up in an account, without a gap while nothing
// fails, and none is given twice.
func testPullRequestNumbers(t *testing.T, h Host) {
	const workers, each = 6, 5
	var mu sync.Mutex
	var all []int64
	together(t, workers, nil, func(int) error {
		for range each {
			var n int64
			err := h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) (err error) {
				n, err = tx.InsertPullRequest(ctx, pullRequest())
				return err
			})
			if err != nil {
				return err
			}
			mu.Lock()
			all = append(all, n)
			mu.Unlock()
		}
		return nil
	})
	slices.Sort(all)
	for i, n := range all {
		if n != int64(i+1) {
			t.Fatalf("numbers given: %v", all)
		}
	}
	other := pullRequest()
	other.Account = "444455556666"
	if n := insertPullRequests(t, h.Store, other)[0].ID; n != 1 {
		t.Errorf("another account's first number is %d", n)
	}
}

func testPullRequestTokens(t *testing.T, h Host) {
	p := pullRequest()
	p.Token = "token"
	elsewhere := p
	elsewhere.Account = "444455556666"
	prs := insertPullRequests(t, h.Store, p, elsewhere, pullRequest(), pullRequest()) // two without a token
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		got, err := tx.PullRequestByToken(ctx, account, "token")
		if d := cmp.Diff(prs[0], got); d != "" {
			t.Errorf("by token (-want +got):\n%s", d)
		}
		for _, token := range []string{"TOKEN", "token ", ""} {
			_, none := tx.PullRequestByToken(ctx, account, token)
			wantErr(t, "by another token", none, codecommit.ErrNotFound)
		}
		return err
	})
	wantErr(t, "a token twice", h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		_, err := tx.InsertPullRequest(ctx, p)
		return err
	}), codecommit.ErrExists)
	won := together(t, 8, codecommit.ErrExists, func(int) error {
		same := p
		same.Token = "race"
		return h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
			_, err := tx.InsertPullRequest(ctx, same)
			return err
		})
	})
	if won != 1 {
		t.Errorf("one token made %d pull requests", won)
	}
}

func testPullRequestEvents(t *testing.T, h Host) {
	prs := insertPullRequests(t, h.Store, pullRequest(), pullRequest())
	var want []codecommit.PullRequestEvent
	for i, kind := range []string{"CREATED", "SOURCE", "source", "CREATED", "STATUS"} {
		e := codecommit.PullRequestEvent{PullRequest: prs[0].ID, Type: kind, ActorARN: []string{"a", "b"}[i%2], At: at.Add(-time.Duration(i) * time.Hour), Detail: []byte(`{"a": 1}`)}
		if i == 1 {
			e.Detail = nil
		}
		update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
			noise := e
			noise.PullRequest, noise.Seq = prs[1].ID, 77
			return errors.Join(tx.AppendPullRequestEvent(ctx, account, noise), tx.AppendPullRequestEvent(ctx, account, e))
		})
		e.Seq = int64(i + 1)
		want = append(want, e)
	}
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		for _, q := range []struct {
			kind, actor string
			page        codecommit.Page
			want        []codecommit.PullRequestEvent
		}{
			{"", "", codecommit.Page{Limit: 10}, want},
			{"", "", codecommit.Page{Limit: 2}, want[:2]},
			{"", "", codecommit.Page{After: "2", Limit: 2}, want[2:4]},
			{"", "", codecommit.Page{After: "5", Limit: 2}, nil},
			{"CREATED", "", codecommit.Page{Limit: 10}, []codecommit.PullRequestEvent{want[0], want[3]}},
			{"", "b", codecommit.Page{Limit: 10}, []codecommit.PullRequestEvent{want[1], want[3]}},
			{"CREATED", "b", codecommit.Page{Limit: 10}, want[3:4]},
			{"CREATED", "", codecommit.Page{After: "1", Limit: 1}, want[3:4]},
		} {
			got, err := tx.PullRequestEvents(ctx, account, prs[0].ID, q.kind, q.actor, q.page)
			if d := cmp.Diff(q.want, got); d != "" || err != nil {
				t.Errorf("events of type %q by %q, page %+v: %v (-want +got):\n%s", q.kind, q.actor, q.page, err, d)
			}
		}
		if _, err := tx.PullRequestEvents(ctx, account, prs[0].ID, "", "", codecommit.Page{After: "x", Limit: 1}); err == nil {
			t.Error("a cursor that is none was accepted")
		}
		return nil
	})
	wantErr(t, "event of no pull request", h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		return tx.AppendPullRequestEvent(ctx, account, codecommit.PullRequestEvent{PullRequest: 99})
	}), codecommit.ErrNotFound)
}

func testOpenPullRequests(t *testing.T, h Host) {
	on := func(source, destination refname.Name, closed bool) codecommit.PullRequest {
		p := pullRequest()
		p.Source, p.Destination, p.Closed = source, destination, closed
		return p
	}
	elsewhere := on("refs/heads/a", main, false)
	elsewhere.Repository = "another"
	prs := insertPullRequests(t, h.Store, on("refs/heads/a", main, false), on("refs/heads/a", main, true), on("refs/heads/b", "refs/heads/a", false),
		on("refs/heads/A", main, false), elsewhere)
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		for ref, want := range map[refname.Name][]codecommit.PullRequest{
			"refs/heads/a": {prs[0], prs[2]},
			"refs/heads/b": {prs[2]},
			main:           {prs[0], prs[3]},
			"refs/heads/c": nil,
		} {
			got, err := tx.OpenPullRequestsOn(ctx, repoID, ref)
			if d := cmp.Diff(want, got); d != "" || err != nil {
				t.Errorf("open on %s: %v (-want +got):\n%s", ref, err, d)
			}
		}
		n, err := tx.CountOpenPullRequests(ctx, repoID)
		if n != 3 {
			t.Errorf("%d are open, want 3", n)
		}
		return err
	})
}
