package iamtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/iam"
)

// Host is a store under test.
type Host struct {
	Store iam.Store

	// Reopen closes the store and opens what it left behind.
	Reopen func(t *testing.T) iam.Store
}

// The account that every case begins with.
const account = "111122223333"

var at = time.Date(2024, 2, 29, 23, 59, 59, 999e6, time.UTC)

// TestStore runs the suite. open returns a new, empty store each time.
func TestStore(t *testing.T, open func(t *testing.T) Host) {
	for name, f := range map[string]func(t *testing.T, h Host){
		"Accounts":         testAccounts,
		"Generation":       testGeneration,
		"Rollback":         testRollback,
		"Reopen":           testReopen,
		"Names":            testNames,
		"Documents":        testDocuments,
		"Membership":       testMembership,
		"Tags":             testTags,
		"Keys":             testKeys,
		"Credentials":      testCredentials,
		"SSHPublicKeys":    testSSHPublicKeys,
		"Missing":          testMissing,
		"AccountsApart":    testAccountsApart,
		"Paging":           testPaging,
		"ConcurrentWrites": testConcurrentWrites,
		"Snapshot":         testSnapshot,
	} {
		t.Run(name, func(t *testing.T) {
			h := open(t)
			create(t, h.Store, account)
			f(t, h)
		})
	}
}

func create(t *testing.T, s iam.Store, id string) {
	t.Helper()
	if err := s.CreateAccount(t.Context(), iam.Account{ID: id, Created: at}); err != nil {
		t.Fatal(err)
	}
}

func update(t *testing.T, s iam.Store, f func(ctx context.Context, tx iam.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), account, f); err != nil {
		t.Fatal(err)
	}
}

func view(t *testing.T, s iam.Store, f func(ctx context.Context, tx iam.Reader) error) {
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

func user(name string) iam.User {
	return iam.User{Account: account, ID: "AIDA" + name, Name: name, Path: "/", Created: at}
}

func group(name string) iam.Group {
	return iam.Group{Account: account, ID: "AGPA" + name, Name: name, Path: "/", Created: at}
}

func testAccounts(t *testing.T, h Host) {
	create(t, h.Store, "000000000000")
	wantErr(t, "a second account of one ID", h.Store.CreateAccount(t.Context(), iam.Account{ID: account}), iam.ErrExists)
	view(t, h.Store, func(ctx context.Context, tx iam.Reader) error {
		got, err := tx.Accounts(ctx)
		want := []iam.Account{{ID: "000000000000", Created: at}, {ID: account, Created: at}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("accounts (-want +got):\n%s", d)
		}
		return err
	})
	_, err := h.Store.Generation(t.Context(), "999999999999")
	wantErr(t, "generation of no account", err, iam.ErrNotFound)
	err = h.Store.Update(t.Context(), "999999999999", func(context.Context, iam.Tx) error {
		t.Error("the update of an account that does not exist ran")
		return nil
	})
	wantErr(t, "update of no account", err, iam.ErrNotFound)
}

func generation(t *testing.T, s iam.Store) int64 {
	t.Helper()
	g, err := s.Generation(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func testGeneration(t *testing.T, h Host) {
	before := generation(t, h.Store)
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error { return tx.InsertUser(ctx, user("a")) })
	if got := generation(t, h.Store); got != before+1 {
		t.Errorf("after a change the generation is %d, want %d", got, before+1)
	}
	boom := errors.New("boom")
	err := h.Store.Update(t.Context(), account, func(context.Context, iam.Tx) error { return boom })
	wantErr(t, "update", err, boom)
	if got := generation(t, h.Store); got != before+1 {
		t.Errorf("after a change that was undone the generation is %d, want %d", got, before+1)
	}
}

func testRollback(t *testing.T, h Host) {
	everything := func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(
			tx.InsertUser(ctx, user("a")), tx.InsertGroup(ctx, group("g")),
			tx.InsertMember(ctx, account, "AGPAg", "AIDAa"),
			tx.PutInlinePolicy(ctx, account, "AIDAa", iam.InlinePolicy{Name: "p", Document: "{}"}),
			tx.PutTag(ctx, account, "AIDAa", iam.Tag{Key: "k", Value: "v"}),
			tx.InsertAccessKey(ctx, iam.AccessKey{Account: account, ID: "AKIA1", UserID: "AIDAa", Sealed: []byte("s")}),
			tx.InsertServiceCredential(ctx, iam.ServiceCredential{Account: account, ID: "ACCA1", UserID: "AIDAa", UserName: "a-at", Hash: []byte("h")}),
			tx.InsertSSHPublicKey(ctx, iam.SSHPublicKey{Account: account, ID: "APKA1", UserID: "AIDAa", Wire: []byte("w")}))
	}
	nothing := func(t *testing.T) {
		view(t, h.Store, func(ctx context.Context, tx iam.Reader) error {
			users, err := tx.CountUsers(ctx, account)
			groups, err2 := tx.CountGroups(ctx, account)
			_, keyErr := tx.AccessKey(ctx, account, "AKIA1")
			if users != 0 || groups != 0 || !errors.Is(keyErr, iam.ErrNotFound) {
				t.Errorf("%d users, %d groups and key %v are left", users, groups, keyErr)
			}
			return errors.Join(err, err2)
		})
	}
	t.Run("error", func(t *testing.T) {
		boom := errors.New("boom")
		err := h.Store.Update(t.Context(), account, func(ctx context.Context, tx iam.Tx) error {
			return errors.Join(everything(ctx, tx), boom)
		})
		wantErr(t, "update", err, boom)
		nothing(t)
	})
	t.Run("cancel in mid-write", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := h.Store.Update(ctx, account, func(ctx context.Context, tx iam.Tx) error {
			err := everything(ctx, tx)
			cancel()
			return err
		})
		wantErr(t, "update", err, context.Canceled)
		nothing(t)
	})
	t.Run("panic", func(t *testing.T) {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
			nothing(t)
		}()
		_ = h.Store.Update(t.Context(), account, func(ctx context.Context, tx iam.Tx) error {
			panic(everything(ctx, tx) == nil)
		})
	})
	t.Run("and the store still works", func(t *testing.T) { update(t, h.Store, everything) })
}

func testReopen(t *testing.T, h Host) {
	u := iam.User{Account: account, ID: "AIDAX", Name: "Ümit", Path: "/a/b/", Created: at}
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error { return tx.InsertUser(ctx, u) })
	before := generation(t, h.Store)
	s := h.Reopen(t)
	if got := generation(t, s); got != before {
		t.Errorf("the generation was %d and is %d", before, got)
	}
	view(t, s, func(ctx context.Context, tx iam.Reader) error {
		got, err := tx.UserByID(ctx, account, "AIDAX")
		if d := cmp.Diff(u, got); d != "" {
			t.Errorf("user (-want +got):\n%s", d)
		}
		return err
	})
}

func testConcurrentWrites(t *testing.T, h Host) {
	const workers, each = 6, 20
	update(t, h.Store, func(ctx context.Context, tx iam.Tx) error { return tx.InsertUser(ctx, user("a")) })
	before := generation(t, h.Store)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				// A read and then a write that depends on it: a lost update shows as
				// a number that came twice.
				err := h.Store.Update(t.Context(), account, func(ctx context.Context, tx iam.Tx) error {
					tags, err := tx.Tags(ctx, account, "AIDAa", iam.Page{Limit: workers * each})
					if err != nil {
						return err
					}
					return tx.PutTag(ctx, account, "AIDAa", iam.Tag{Key: fmt.Sprintf("%04d", len(tags))})
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	view(t, h.Store, func(ctx context.Context, tx iam.Reader) error {
		tags, err := tx.Tags(ctx, account, "AIDAa", iam.Page{Limit: 2 * workers * each})
		if len(tags) != workers*each {
			t.Errorf("%d of %d writes are there", len(tags), workers*each)
		}
		return err
	})
	if got := generation(t, h.Store); got != before+workers*each {
		t.Errorf("the generation grew by %d, want %d", got-before, workers*each)
	}
}

func testSnapshot(t *testing.T, h Host) {
	view(t, h.Store, func(ctx context.Context, tx iam.Reader) error {
		before, err := tx.CountUsers(ctx, account)
		if err != nil {
			return err
		}
		genBefore, err := tx.Generation(ctx, account)
		update(t, h.Store, func(ctx context.Context, tx iam.Tx) error { return tx.InsertUser(ctx, user("a")) })
		after, err2 := tx.CountUsers(ctx, account)
		genAfter, err3 := tx.Generation(ctx, account)
		if before != after || genBefore != genAfter {
			t.Errorf("one view counted %d and then %d users, at generations %d and %d", before, after, genBefore, genAfter)
		}
		if got := generation(t, h.Store); got != genBefore+1 {
			t.Errorf("outside the view the generation is %d, want %d", got, genBefore+1)
		}
		return errors.Join(err, err2, err3)
	})
}
