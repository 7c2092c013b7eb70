package codecommittest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/repo"
)

func testRepositories(t *testing.T, h Host) {
	r := codecommit.Repository{Account: account, ID: "id", Name: "Name.with_all-1", Description: "<b>'; DROP TABLE repository; -- \u00ff",
		Head: main, Gen: 3, Epoch: 2, KMSKeyID: "alias/aws/codecommit", Created: at, Modified: at.Add(time.Hour)}
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error { return tx.InsertRepository(ctx, r) })
	check := func(want codecommit.Repository) {
		t.Helper()
		view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
			byName, err := tx.Repository(ctx, account, want.Name)
			byID, err2 := tx.RepositoryByID(ctx, want.ID)
			if d := cmp.Diff(want, byName) + cmp.Diff(want, byID); d != "" {
				t.Errorf("repository (-want +got):\n%s", d)
			}
			n, err3 := tx.CountRepositories(ctx, account)
			if n != 2 {
				t.Errorf("there are %d repositories, want 2", n)
			}
			return errors.Join(err, err2, err3)
		})
	}
	check(r)
	changed := r
	changed.Name, changed.Description, changed.Head, changed.KMSKeyID, changed.Modified = "new", "", "refs/heads/\xe4", "k", at.Add(2*time.Hour)
	changed.Gen, changed.Epoch, changed.Created = 99, 99, time.Time{}
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error { return tx.UpdateRepository(ctx, changed) })
	changed.Gen, changed.Epoch, changed.Created = r.Gen, r.Epoch, r.Created // not for an update to write
	check(changed)
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		_, old := tx.Repository(ctx, account, r.Name)
		wantErr(t, "the name before", old, codecommit.ErrNotFound)
		_, missing := tx.RepositoryByID(ctx, "no-such-id")
		wantErr(t, "an identifier that was never given", missing, codecommit.ErrNotFound)
		_, other := tx.Repository(ctx, "444455556666", "one")
		wantErr(t, "another account's name", other, codecommit.ErrNotFound)
		n, err := tx.CountRepositories(ctx, "444455556666")
		if n != 0 {
			t.Errorf("another account has %d repositories", n)
		}
		return err
	})
	missing := repository("missing")
	wantErr(t, "update of no repository", h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		return tx.UpdateRepository(ctx, missing)
	}), codecommit.ErrNotFound)
	wantErr(t, "deletion of no repository", h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		return tx.DeleteRepository(ctx, missing.ID, at)
	}), codecommit.ErrNotFound)
}

func testRepositoryNames(t *testing.T, h Host) {
	elsewhere := repository("elsewhere")
	elsewhere.Account, elsewhere.Name = "444455556666", "one"
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
		return errors.Join(tx.InsertRepository(ctx, repository("ONE")), tx.InsertRepository(ctx, repository("two")),
			tx.InsertRepository(ctx, elsewhere))
	})
	twin := repository("three")
	twin.Name = "one"
	renamed := repository("two")
	renamed.Name = "one"
	for what, f := range map[string]func(ctx context.Context, tx codecommit.Tx) error{
		"insert": func(ctx context.Context, tx codecommit.Tx) error { return tx.InsertRepository(ctx, twin) },
		"rename": func(ctx context.Context, tx codecommit.Tx) error { return tx.UpdateRepository(ctx, renamed) },
	} {
		wantErr(t, what+" to a name that is taken", h.Store.Update(t.Context(), f), codecommit.ErrExists)
	}
	won := together(t, 8, codecommit.ErrExists, func(i int) error {
		r := repository("race")
		r.ID = repo.ID('a' + rune(i))
		return h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error { return tx.InsertRepository(ctx, r) })
	})
	if won != 1 {
		t.Errorf("%d callers made a repository of the same name", won)
	}
}

func testDeleteRepository(t *testing.T, h Host) {
	update(t, h.Store, everything)
	other := pullRequest()
	other.Repository, other.Token = repository("two").ID, "other"
	var kept int64
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) (err error) {
		if kept, err = tx.InsertPullRequest(ctx, other); err != nil {
			return err
		}
		return tx.AppendPullRequestEvent(ctx, account, codecommit.PullRequestEvent{PullRequest: kept, Type: "kept", At: at})
	})
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error { return tx.DeleteRepository(ctx, repoID, at) })
	want := contents{Repositories: []codecommit.Repository{repository("two")}}
	got := read(t, h.Store)
	got.RefEvents = nil // the reflog may outlive its repository
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("after the deletion (-want +got):\n%s", d)
	}
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		_, gone := tx.PullRequest(ctx, account, 1)
		wantErr(t, "pull request of a deleted repository", gone, codecommit.ErrNotFound)
		_, gone = tx.Ref(ctx, repoID, main)
		wantErr(t, "ref of a deleted repository", gone, codecommit.ErrNotFound)
		events, err := tx.PullRequestEvents(ctx, account, kept, "", "", codecommit.Page{Limit: 10})
		if len(events) != 1 {
			t.Errorf("another repository's pull request has %d events left, want 1", len(events))
		}
		return err
	})
	_, err := move(t.Context(), h.Store, codecommit.RefMove{Ref: main, New: id(3)})
	wantErr(t, "a push that was under way", err, codecommit.ErrStale)
	wantErr(t, "a second deletion", h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		return tx.DeleteRepository(ctx, repoID, at)
	}), codecommit.ErrNotFound)
}

// testRecreate: a repository of a deleted one's name has nothing of it.
func testRecreate(t *testing.T, h Host) {
	update(t, h.Store, everything)
	fresh := repository("one")
	fresh.ID = "another-id"
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
		return errors.Join(tx.DeleteRepository(ctx, repoID, at), tx.InsertRepository(ctx, fresh))
	})
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		r, err := tx.Repository(ctx, account, "one")
		if d := cmp.Diff(fresh, r); d != "" {
			t.Errorf("repository (-want +got):\n%s", d)
		}
		refs, err2 := tx.Refs(ctx, r.ID, 0)
		since, err3 := tx.Refs(ctx, r.ID, 1)
		packs, err4 := tx.Packs(ctx, r.ID)
		events, err5 := tx.RefEvents(ctx, r.ID, main, 10)
		prs, err6 := tx.PullRequests(ctx, account, codecommit.PullRequestFilter{Repository: r.ID}, codecommit.Page{Limit: 10})
		if n := len(refs) + len(since) + len(packs) + len(events) + len(prs); n != 0 {
			t.Errorf("it inherited %d rows", n)
		}
		return errors.Join(err, err2, err3, err4, err5, err6)
	})
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
		pr := pullRequest()
		pr.Repository = fresh.ID
		n, err := tx.InsertPullRequest(ctx, pr)
		if n != 2 {
			t.Errorf("the next pull request has number %d, want 2: a number is given once", n)
		}
		return err
	})
}

func testAdvance(t *testing.T, h Host) {
	later := at.Add(time.Minute)
	for want := int64(1); want <= 3; want++ {
		update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
			got, err := tx.Advance(ctx, repoID, 0, later)
			if got != want {
				t.Errorf("generation %d, want %d", got, want)
			}
			return err
		})
	}
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		r, err := tx.RepositoryByID(ctx, repoID)
		if r.Gen != 3 || r.Epoch != 0 || !r.Modified.Equal(later) || !r.Created.Equal(at) {
			t.Errorf("repository is %+v", r)
		}
		return err
	})
	moved := repository("moved")
	moved.Epoch = 7
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error { return tx.InsertRepository(ctx, moved) })
	for what, f := range map[string]func(ctx context.Context, tx codecommit.Tx) (int64, error){
		"an epoch that has passed":      func(ctx context.Context, tx codecommit.Tx) (int64, error) { return tx.Advance(ctx, moved.ID, 6, at) },
		"an epoch that is to come":      func(ctx context.Context, tx codecommit.Tx) (int64, error) { return tx.Advance(ctx, moved.ID, 8, at) },
		"a repository that is not here": func(ctx context.Context, tx codecommit.Tx) (int64, error) { return tx.Advance(ctx, "gone", 0, at) },
	} {
		wantErr(t, what, h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
			_, err := f(ctx, tx)
			return err
		}), codecommit.ErrStale)
	}
}

// testEpochRace: of a push and a deletion of the repository, decided on the same
// snapshot, the push never lands in what is gone.
func testEpochRace(t *testing.T, h Host) {
	const workers = 8
	won := together(t, workers, codecommit.ErrStale, func(i int) error {
		if i == workers/2 {
			return h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
				return tx.DeleteRepository(ctx, repoID, at)
			})
		}
		_, err := move(t.Context(), h.Store, codecommit.RefMove{Ref: main + "/" + refNumber(i), New: id(1)})
		return err
	})
	if won < 1 {
		t.Error("the deletion failed")
	}
	if left := refs(t, h.Store, 0); len(left) != 0 {
		t.Errorf("refs outlived their repository: %v", left)
	}
}
