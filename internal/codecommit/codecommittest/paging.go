package codecommittest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/repo"
)

// walk reads a listing page by page and compares.
func walk[T any](rt *rapid.T, what string, want []T, limit int, read func(codecommit.Page) ([]T, error), cursor func(T) string) {
	rt.Helper()
	var got []T
	page := codecommit.Page{Limit: limit}
	for {
		rows, err := read(page)
		if err != nil {
			rt.Fatalf("%s: %v", what, err)
		}
		if len(rows) > limit {
			rt.Fatalf("%s: a page of %d rows, the limit is %d", what, len(rows), limit)
		}
		got = append(got, rows...)
		if len(rows) < limit || len(got) > len(want) {
			break
		}
		page.After = cursor(got[len(got)-1])
	}
	if d := cmp.Diff(want, got); d != "" {
		rt.Errorf("%s by pages of %d (-want +got):\n%s", what, limit, d)
	}
}

// testRepositoryPaging compares every order, read page by page, with a sort in memory.
func testRepositoryPaging(t *testing.T, h Host) {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Ca-c_.-]{1,3}`), 0, 12, rapid.ID[string])
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		acct := fmt.Sprintf("%012d", round)
		var all []codecommit.Repository
		for i, n := range names.Draw(rt, "names") {
			modified := at.Add(time.Duration(rapid.IntRange(-2, 2).Draw(rt, "modified")) * time.Millisecond)
			all = append(all, codecommit.Repository{Account: acct, ID: repo.ID(acct + strconv.Itoa(i)), Name: n, Created: at, Modified: modified})
		}
		err := h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
			for _, r := range all {
				if err := tx.InsertRepository(ctx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
		o := codecommit.RepositoryOrder{ByModified: rapid.Bool().Draw(rt, "by modified"), Descending: rapid.Bool().Draw(rt, "descending")}
		slices.SortFunc(all, func(a, b codecommit.Repository) int {
			c := strings.Compare(a.Name, b.Name)
			if o.ByModified && !a.Modified.Equal(b.Modified) {
				c = a.Modified.Compare(b.Modified)
			}
			if o.Descending {
				return -c
			}
			return c
		})
		err = h.Store.View(t.Context(), func(ctx context.Context, tx codecommit.Reader) error {
			walk(rt, fmt.Sprintf("%+v", o), all, rapid.IntRange(1, 5).Draw(rt, "limit"), func(p codecommit.Page) ([]codecommit.Repository, error) {
				return tx.Repositories(ctx, acct, o, p)
			}, func(r codecommit.Repository) string { return codecommit.RepositoryCursor(o, r) })
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}

// testPullRequestPaging compares every filter, read page by page, with a loop in memory.
func testPullRequestPaging(t *testing.T, h Host) {
	var all []codecommit.PullRequest
	for i := range 40 {
		p := pullRequest()
		p.AuthorARN = []string{"arn:a", "arn:b", "ARN:A"}[i%3]
		p.Closed = i%2 == 0
		p.Repository = []repo.ID{repoID, "another"}[i/5%2]
		all = append(all, p)
	}
	all = insertPullRequests(t, h.Store, all...)
	slices.Reverse(all) // newest first
	rapid.Check(t, func(rt *rapid.T) {
		f := codecommit.PullRequestFilter{
			Repository: rapid.SampledFrom([]repo.ID{repoID, "another", "none"}).Draw(rt, "repository"),
			AuthorARN:  rapid.SampledFrom([]string{"", "arn:a", "arn:b", "arn:c"}).Draw(rt, "author"),
			Closed:     rapid.SampledFrom([]*bool{nil, new(false), new(true)}).Draw(rt, "closed"),
		}
		var want []codecommit.PullRequest
		for _, p := range all {
			if p.Repository == f.Repository && (f.AuthorARN == "" || p.AuthorARN == f.AuthorARN) && (f.Closed == nil || p.Closed == *f.Closed) {
				want = append(want, p)
			}
		}
		err := h.Store.View(t.Context(), func(ctx context.Context, tx codecommit.Reader) error {
			walk(rt, fmt.Sprintf("%+v", f), want, rapid.IntRange(1, 7).Draw(rt, "limit"), func(p codecommit.Page) ([]codecommit.PullRequest, error) {
				return tx.PullRequests(ctx, account, f, p)
			}, func(p codecommit.PullRequest) string { return strconv.FormatInt(p.ID, 10) })
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}
