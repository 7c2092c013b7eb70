package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/iam"
)

// TestReadsSeeWhatWasAcknowledged: while many read a row that is remembered, none that
// begins after a change was acknowledged, or after somebody saw it, finds less.
func TestReadsSeeWhatWasAcknowledged(t *testing.T) {
	db := openTest(t)
	store := db.CodeCommit()
	r := codecommit.Repository{Account: "1", ID: "a", Name: "app"}
	err := store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error { return tx.InsertRepository(ctx, r) })
	if err != nil {
		t.Fatal(err)
	}
	const advances = 200
	var seen atomic.Int64 // acknowledged, or seen by a reader
	raise := func(gen int64) {
		for old := seen.Load(); old < gen && !seen.CompareAndSwap(old, gen); old = seen.Load() {
		}
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for seen.Load() < advances {
				least := seen.Load()
				got, err := store.Repository(t.Context(), "1", "app")
				if err != nil || got.Gen < least {
					t.Errorf("generation %d (%v), though %d was known before", got.Gen, err, least)
					return
				}
				raise(got.Gen)
			}
		})
	}
	for range advances {
		err := store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
			gen, err := tx.Advance(ctx, "a", 0, r.Created)
			r.Gen = gen
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		raise(r.Gen)
	}
	readers.Wait()
}

// TestRememberedFollowsChanges: a rename, a deletion and another of the same name are
// seen at once, and what is not there is never remembered.
func TestRememberedFollowsChanges(t *testing.T) {
	db := openTest(t)
	store := db.CodeCommit()
	do := func(f func(ctx context.Context, tx codecommit.Tx) error) {
		t.Helper()
		if err := store.Update(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	check := func(name, want string) {
		t.Helper()
		for range 2 { // read, and remembered
			got, err := store.Repository(t.Context(), "1", name)
			if want == "" && !errors.Is(err, codecommit.ErrNotFound) || want != "" && (err != nil || string(got.ID) != want) {
				t.Errorf("%s is %q (%v), want %q", name, got.ID, err, want)
			}
		}
	}
	check("app", "")
	do(func(ctx context.Context, tx codecommit.Tx) error {
		return tx.InsertRepository(ctx, codecommit.Repository{Account: "1", ID: "a", Name: "app"})
	})
	check("app", "a")
	do(func(ctx context.Context, tx codecommit.Tx) error {
		return tx.UpdateRepository(ctx, codecommit.Repository{ID: "a", Name: "new"})
	})
	check("app", "")
	check("new", "a")
	do(func(ctx context.Context, tx codecommit.Tx) error {
		return tx.InsertRepository(ctx, codecommit.Repository{Account: "1", ID: "b", Name: "app"})
	})
	check("app", "b")
	do(func(ctx context.Context, tx codecommit.Tx) error {
		return tx.DeleteRepository(ctx, "b", codecommit.Repository{}.Created)
	})
	check("app", "")
	failed := store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		err := tx.UpdateRepository(ctx, codecommit.Repository{ID: "a", Name: "newer"})
		return errors.Join(err, errors.New("given up"))
	})
	if failed == nil {
		t.Fatal("an update that fails was committed")
	}
	check("new", "a")
	check("newer", "")
}

// TestRememberedAsksWhileACommitRuns: between the beginning of a commit and its end
// nobody is given what was remembered, nor remembers.
func TestRememberedAsksWhileACommitRuns(t *testing.T) {
	var c changes
	var r remembered[string, int]
	reads := 0
	get := func() int {
		t.Helper()
		v, err := r.get(&c, "k", func() (int, error) { reads++; return reads, nil })
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if first, second := get(), get(); first != 1 || second != 1 {
		t.Fatal("it is not remembered")
	}
	_ = c.during(func() error {
		if get() != 2 || get() != 3 {
			t.Error("it is remembered while a commit runs")
		}
		return errors.New("a commit may have been done although it failed")
	})
	if first, second := get(), get(); first != 4 || second != 4 {
		t.Error("it is not read anew after a commit")
	}
	// A change while the row is read.
	_, _ = r.get(&c, "other", func() (int, error) { return 1, c.during(func() error { return nil }) })
	if v, _ := r.get(&c, "other", func() (int, error) { return 2, nil }); v != 2 {
		t.Error("what was read beside a change is remembered")
	}
}

func TestRememberedIsBounded(t *testing.T) {
	var c changes
	var r remembered[string, int]
	for i := range 2*maxRemembered + 1 {
		if _, err := r.get(&c, fmt.Sprint(i), func() (int, error) { return i, nil }); err != nil {
			t.Fatal(err)
		}
		if len(r.rows) > maxRemembered {
			t.Fatalf("%d rows", len(r.rows))
		}
	}
	if _, err := r.get(&c, "none", func() (int, error) { return 0, errNoRow }); !errors.Is(err, errNoRow) {
		t.Errorf("got %v", err)
	}
	if _, ok := r.rows["none"]; ok {
		t.Error("an error is remembered")
	}
}

// remembers is a store of identities with an account, and a function that changes it.
func remembers(t *testing.T) (iam.Store, func(f func(ctx context.Context, tx iam.Tx) error)) {
	t.Helper()
	store := openTest(t).IAM()
	if err := store.CreateAccount(t.Context(), iam.Account{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	return store, func(f func(ctx context.Context, tx iam.Tx) error) {
		t.Helper()
		before, err := store.Generation(t.Context(), "1")
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Update(t.Context(), "1", f); err != nil {
			t.Fatal(err)
		}
		if after, err := store.Generation(t.Context(), "1"); err != nil || after != before+1 {
			t.Errorf("generation %d (%v) after %d", after, err, before)
		}
	}
}

// TestRememberedCredentials: a credential that is switched off or deleted is known to be
// by the next request, and nobody can change what is remembered.
func TestRememberedCredentials(t *testing.T) {
	store, do := remembers(t)
	u := iam.User{Account: "1", ID: "AIDA1", Name: "ada", Path: "/"}
	c := iam.ServiceCredential{Account: "1", ID: "ACCA1", UserID: u.ID, Service: iam.GitService, UserName: "ada-at-1", Hash: []byte("hash"), Active: true}
	do(func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(tx.InsertUser(ctx, u), tx.InsertServiceCredential(ctx, c))
	})
	for range 2 {
		got, who, err := store.ServiceCredentialHolder(t.Context(), c.UserName)
		if err != nil || !got.Active || string(got.Hash) != "hash" || who.Name != "ada" {
			t.Errorf("got %+v of %+v (%v)", got, who, err)
		}
		got.Hash[0] = 'x'
	}
	c.Active = false
	do(func(ctx context.Context, tx iam.Tx) error { return tx.UpdateServiceCredential(ctx, c) })
	if got, _, err := store.ServiceCredentialHolder(t.Context(), c.UserName); err != nil || got.Active {
		t.Errorf("got %+v (%v)", got, err)
	}
	do(func(ctx context.Context, tx iam.Tx) error { return tx.DeleteServiceCredential(ctx, "1", c.ID) })
	if _, _, err := store.ServiceCredentialHolder(t.Context(), c.UserName); !errors.Is(err, iam.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// TestRememberedSSHKeys: the same of SSH keys.
func TestRememberedSSHKeys(t *testing.T) {
	store, do := remembers(t)
	u := iam.User{Account: "1", ID: "AIDA1", Name: "ada", Path: "/"}
	k := iam.SSHPublicKey{Account: "1", ID: "APKA1", UserID: u.ID, Wire: []byte("wire"), Active: true}
	do(func(ctx context.Context, tx iam.Tx) error {
		return errors.Join(tx.InsertUser(ctx, u), tx.InsertSSHPublicKey(ctx, k))
	})
	for range 2 {
		got, who, err := store.SSHPublicKeyHolder(t.Context(), k.ID)
		if err != nil || !got.Active || string(got.Wire) != "wire" || who.Name != "ada" {
			t.Errorf("got %+v of %+v (%v)", got, who, err)
		}
		got.Wire[0] = 'x'
	}
	k.Active = false
	do(func(ctx context.Context, tx iam.Tx) error { return tx.UpdateSSHPublicKey(ctx, k) })
	if got, _, err := store.SSHPublicKeyHolder(t.Context(), k.ID); err != nil || got.Active {
		t.Errorf("got %+v (%v)", got, err)
	}
	do(func(ctx context.Context, tx iam.Tx) error { return tx.DeleteSSHPublicKey(ctx, "1", k.ID) })
	if _, _, err := store.SSHPublicKeyHolder(t.Context(), k.ID); !errors.Is(err, iam.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
