package codecommittest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// Host is a store under test.
type Host struct {
	Store codecommit.Store
	Packs repo.PackReader // of the same rows

	// Reopen closes the store and opens what it left behind.
	Reopen func(t *testing.T) Host
}

const (
	account = "111122223333"
	repoID  = repo.ID("11111111-0000-4000-8000-000000000001")
	main    = refname.Name("refs/heads/main")
)

var at = time.Date(2024, 2, 29, 23, 59, 59, 999e6, time.UTC)

// TestStore runs the suite. open returns a new, empty store each time.
func TestStore(t *testing.T, open func(t *testing.T) Host) {
	for name, f := range map[string]func(t *testing.T, h Host){
		"Repositories":       testRepositories,
		"RepositoryNames":    testRepositoryNames,
		"DeleteRepository":   testDeleteRepository,
		"Recreate":           testRecreate,
		"Rollback":           testRollback,
		"Cancel":             testCancel,
		"Reopen":             testReopen,
		"Snapshot":           testSnapshot,
		"Advance":            testAdvance,
		"SwapRef":            testSwapRef,
		"SwapRace":           testSwapRace,
		"EpochRace":          testEpochRace,
		"RefConflict":        testRefConflict,
		"RefOrder":           testRefOrder,
		"RefModel":           testRefModel,
		"RefEvents":          testRefEvents,
		"Packs":              testPacks,
		"PullRequests":       testPullRequests,
		"PullRequestNumbers": testPullRequestNumbers,
		"PullRequestTokens":  testPullRequestTokens,
		"PullRequestEvents":  testPullRequestEvents,
		"OpenPullRequests":   testOpenPullRequests,
		"RepositoryPaging":   testRepositoryPaging,
		"PullRequestPaging":  testPullRequestPaging,
		"LFSObjects":         testLFSObjects,
		"LFSDeleted":         testLFSDeleted,
		"LFSLocks":           testLFSLocks,
		"LFSLockOrder":       testLFSLockOrder,
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
				return tx.InsertRepository(ctx, repository("one"))
			})
			f(t, h)
		})
	}
}

// repository is a row as it is after creation; "one" is there when a case begins.
func repository(name string) codecommit.Repository {
	id := repo.ID("id-of-" + name)
	if name == "one" {
		id = repoID
	}
	return codecommit.Repository{Account: account, ID: id, Name: name, Created: at, Modified: at}
}

func id(b byte) oid.ID { return oid.ID{0: b, 10: 0, 19: 255} }

func update(t *testing.T, s codecommit.Store, f func(ctx context.Context, tx codecommit.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, s codecommit.Store, f func(ctx context.Context, tx codecommit.Reader) error) {
	t.Helper()
	if err := s.View(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// move advances repository one and swaps refs in one update, as a push does.
func move(ctx context.Context, s codecommit.Store, moves ...codecommit.RefMove) (gen int64, err error) {
	err = s.Update(ctx, func(ctx context.Context, tx codecommit.Tx) (err error) {
		if gen, err = tx.Advance(ctx, repoID, 0, at); err != nil {
			return err
		}
		for _, m := range moves {
			if err := tx.SwapRef(ctx, repoID, gen, m); err != nil {
				return err
			}
		}
		return nil
	})
	return gen, err
}

func mustMove(t *testing.T, s codecommit.Store, moves ...codecommit.RefMove) int64 {
	t.Helper()
	gen, err := move(t.Context(), s, moves...)
	if err != nil {
		t.Fatal(err)
	}
	return gen
}

func refs(t *testing.T, s codecommit.Store, since int64) (all []repo.Ref) {
	t.Helper()
	view(t, s, func(ctx context.Context, tx codecommit.Reader) (err error) {
		all, err = tx.Refs(ctx, repoID, since)
		return err
	})
	return all
}

// everything writes one row of each kind.
func everything(ctx context.Context, tx codecommit.Tx) error {
	gen, err := tx.Advance(ctx, repoID, 0, at.Add(time.Second))
	if err != nil {
		return err
	}
	m := codecommit.RefMove{Ref: main, New: id(1)}
	pr, err := tx.InsertPullRequest(ctx, pullRequest())
	return errors.Join(err,
		tx.InsertRepository(ctx, repository("two")),
		tx.SwapRef(ctx, repoID, gen, m),
		tx.InsertPack(ctx, repoID, gen, inlinePack("01A")),
		tx.InsertLFSObject(ctx, repoID, lfsObject(1)),
		tx.InsertLFSLock(ctx, repoID, lfsLock("lock", "file")),
		tx.AppendRefEvents(ctx, repoID, []codecommit.RefEvent{{Gen: gen, Move: m, At: at}}),
		tx.AppendPullRequestEvent(ctx, account, codecommit.PullRequestEvent{PullRequest: pr, Type: "created", At: at}))
}

// contents is what everything wrote, as it is read.
type contents struct {
	Repositories []codecommit.Repository
	Refs         []repo.Ref
	RefEvents    []codecommit.RefEvent
	Packs        []repo.Pack
	PullRequests []codecommit.PullRequest
	Events       []codecommit.PullRequestEvent
	Object       codecommit.LFSObject
	Locks        []codecommit.LFSLock
}

func read(t *testing.T, s codecommit.Store) (c contents) {
	t.Helper()
	view(t, s, func(ctx context.Context, tx codecommit.Reader) error {
		var errs [8]error
		page := codecommit.Page{Limit: 100}
		c.Repositories, errs[0] = tx.Repositories(ctx, account, codecommit.RepositoryOrder{}, page)
		c.Refs, errs[1] = tx.Refs(ctx, repoID, 0)
		c.RefEvents, errs[2] = tx.RefEvents(ctx, repoID, main, 100)
		c.Packs, errs[3] = tx.Packs(ctx, repoID)
		c.PullRequests, errs[4] = tx.PullRequests(ctx, account, codecommit.PullRequestFilter{Repository: repoID}, page)
		c.Events, errs[5] = tx.PullRequestEvents(ctx, account, 1, "", "", page)
		c.Locks, errs[6] = tx.LFSLocks(ctx, repoID, page)
		if c.Object, errs[7] = tx.LFSObject(ctx, repoID, lfsObject(1).OID); errors.Is(errs[7], codecommit.ErrNotFound) {
			c.Object, errs[7] = codecommit.LFSObject{}, nil
		}
		return errors.Join(errs[:]...)
	})
	return c
}

func testRollback(t *testing.T, h Host) {
	before := read(t, h.Store)
	boom := errors.New("boom")
	err := h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		return errors.Join(everything(ctx, tx), boom)
	})
	wantErr(t, "update", err, boom)
	if d := cmp.Diff(before, read(t, h.Store)); d != "" {
		t.Errorf("an update that failed left something behind (-want +got):\n%s", d)
	}
	update(t, h.Store, everything) // nothing of it is in the way
}

func testCancel(t *testing.T, h Host) {
	before := read(t, h.Store)
	ctx, cancel := context.WithCancel(t.Context())
	err := h.Store.Update(ctx, func(ctx context.Context, tx codecommit.Tx) error {
		if err := everything(ctx, tx); err != nil {
			return err
		}
		cancel() // the client has gone in the middle of the transaction
		return nil
	})
	wantErr(t, "update", err, context.Canceled)
	if d := cmp.Diff(before, read(t, h.Store)); d != "" {
		t.Errorf("an update that was cancelled left something behind (-want +got):\n%s", d)
	}
	update(t, h.Store, everything)
}

func testReopen(t *testing.T, h Host) {
	update(t, h.Store, everything)
	before := read(t, h.Store)
	h = h.Reopen(t)
	if d := cmp.Diff(before, read(t, h.Store)); d != "" {
		t.Errorf("after reopening (-want +got):\n%s", d)
	}
	data, err := h.Packs.PackData(t.Context(), repoID, "01A")
	if d := cmp.Diff(inlinePack("01A").Inline, data); d != "" || err != nil {
		t.Errorf("pack after reopening: %v (-want +got):\n%s", err, d)
	}
}

func testSnapshot(t *testing.T, h Host) {
	mustMove(t, h.Store, codecommit.RefMove{Ref: main, New: id(1)})
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		one, err := tx.RepositoryByID(ctx, repoID)
		if err != nil {
			return err
		}
		mustMove(t, h.Store, codecommit.RefMove{Ref: main, Old: id(1), New: id(2)}, codecommit.RefMove{Ref: "refs/heads/b", New: id(2)})
		again, err := tx.RepositoryByID(ctx, repoID)
		if again.Gen != one.Gen {
			t.Errorf("a view saw generation %d, then %d", one.Gen, again.Gen)
		}
		all, err2 := tx.Refs(ctx, repoID, 0)
		if d := cmp.Diff([]repo.Ref{{Name: main, OID: id(1)}}, all); d != "" {
			t.Errorf("a view saw refs of a later commit (-want +got):\n%s", d)
		}
		return errors.Join(err, err2)
	})
	if all := refs(t, h.Store, 0); len(all) != 2 {
		t.Errorf("the next view sees %d refs, want 2", len(all))
	}
}

// together runs f n times at once and returns how often it answered nil; every other
// answer must be want.
func together(t *testing.T, n int, want error, f func(i int) error) (won int) {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		wantErr(t, "who came too late", err, want)
	}
	return won
}
