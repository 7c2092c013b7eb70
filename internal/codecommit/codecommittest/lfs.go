package codecommittest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/repo"
)

func lfsObject(b byte) codecommit.LFSObject {
	return codecommit.LFSObject{
		Object: lfs.Object{OID: lfs.OID{0: b, 31: 255}, Size: 5 << 30}, Key: fmt.Sprintf("%s/lfs/%02x", repoID, b), Created: at,
	}
}

func lfsLock(id, path string) codecommit.LFSLock {
	return codecommit.LFSLock{
		ID: id, Path: path, Ref: main, OwnerARN: "arn:aws:iam::111122223333:user/dev/ada", OwnerID: "AIDAADA", RequestID: "r-" + id, Created: at,
	}
}

func testLFSObjects(t *testing.T, h Host) {
	one, empty := lfsObject(1), lfsObject(2)
	empty.Size = 0
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
		return errors.Join(tx.InsertRepository(ctx, repository("two")),
			tx.InsertLFSObject(ctx, repoID, one), tx.InsertLFSObject(ctx, repoID, empty))
	})
	again := one
	again.Key, again.Size = "another", 1
	wantErr(t, "an object twice", h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		return tx.InsertLFSObject(ctx, repoID, again)
	}), codecommit.ErrExists)
	h = h.Reopen(t)
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		for _, want := range []codecommit.LFSObject{one, empty} {
			got, err := tx.LFSObject(ctx, repoID, want.OID)
			if d := cmp.Diff(want, got); err != nil || d != "" {
				t.Errorf("object: %v (-want +got):\n%s", err, d)
			}
		}
		_, none := tx.LFSObject(ctx, repoID, lfsObject(3).OID)
		wantErr(t, "an object that nobody uploaded", none, codecommit.ErrNotFound)
		_, elsewhere := tx.LFSObject(ctx, repository("two").ID, one.OID)
		wantErr(t, "another repository's object", elsewhere, codecommit.ErrNotFound)
		return nil
	})
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
		return tx.InsertLFSObject(ctx, repository("two").ID, again) // it has its own
	})
	won := together(t, 8, codecommit.ErrExists, func(i int) error {
		o := lfsObject(9)
		o.Key = fmt.Sprint("race", i)
		return h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error { return tx.InsertLFSObject(ctx, repoID, o) })
	})
	if won != 1 {
		t.Errorf("%d uploads of one object won", won)
	}
}

func testLFSDeleted(t *testing.T, h Host) {
	two := repository("two")
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
		kept := lfsObject(1)
		kept.Key = "kept"
		return errors.Join(tx.InsertRepository(ctx, two), tx.InsertLFSObject(ctx, two.ID, kept),
			tx.InsertLFSObject(ctx, repoID, lfsObject(1)), tx.InsertLFSObject(ctx, repoID, lfsObject(2)),
			tx.InsertLFSLock(ctx, repoID, lfsLock("a", "file")), tx.InsertLFSLock(ctx, two.ID, lfsLock("a", "file")))
	})
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error { return tx.DeleteRepository(ctx, repoID, at) })
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		_, gone := tx.LFSObject(ctx, repoID, lfsObject(1).OID)
		wantErr(t, "an object of a deleted repository", gone, codecommit.ErrNotFound)
		_, gone = tx.LFSLock(ctx, repoID, "a")
		wantErr(t, "a lock of a deleted repository", gone, codecommit.ErrNotFound)
		_, err := tx.LFSObject(ctx, two.ID, lfsObject(1).OID)
		_, err2 := tx.LFSLock(ctx, two.ID, "a")
		return errors.Join(err, err2)
	})
}

func testLFSLocks(t *testing.T, h Host) {
	a, b := lfsLock("a", "art/Ä.png"), lfsLock("b", "art/B.png")
	b.Ref, b.OwnerARN = "", "arn:aws:iam::111122223333:root"
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
		return errors.Join(tx.InsertRepository(ctx, repository("two")), tx.InsertLFSLock(ctx, repoID, a), tx.InsertLFSLock(ctx, repoID, b))
	})
	for what, l := range map[string]codecommit.LFSLock{"the same path": lfsLock("c", a.Path), "the same ID": lfsLock("a", "other")} {
		wantErr(t, what, h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error { return tx.InsertLFSLock(ctx, repoID, l) }),
			codecommit.ErrExists)
	}
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error { // of another repository, or in another case
		return errors.Join(tx.InsertLFSLock(ctx, repository("two").ID, a), tx.InsertLFSLock(ctx, repoID, lfsLock("C", strings.ToUpper(b.Path))))
	})
	h = h.Reopen(t)
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		byID, err := tx.LFSLock(ctx, repoID, "a")
		byPath, err2 := tx.LFSLockOn(ctx, repoID, b.Path)
		if d := cmp.Diff(a, byID) + cmp.Diff(b, byPath); d != "" {
			t.Errorf("lock (-want +got):\n%s", d)
		}
		if a.OwnerName() != "ada" || b.OwnerName() != "root" {
			t.Errorf("owners are called %q and %q", a.OwnerName(), b.OwnerName())
		}
		n, err3 := tx.CountLFSLocks(ctx, repoID)
		if n != 3 {
			t.Errorf("there are %d locks, want 3", n)
		}
		_, none := tx.LFSLock(ctx, repoID, "A")
		wantErr(t, "an ID in another case", none, codecommit.ErrNotFound)
		_, none = tx.LFSLockOn(ctx, repoID, "art")
		wantErr(t, "a folder of locks", none, codecommit.ErrNotFound)
		return errors.Join(err, err2, err3)
	})
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error { return tx.DeleteLFSLock(ctx, repoID, "a") })
	for what, gone := range map[string]string{"a second deletion": "a", "no such lock": "x"} {
		wantErr(t, what, h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error { return tx.DeleteLFSLock(ctx, repoID, gone) }),
			codecommit.ErrNotFound)
	}
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		_, err := tx.LFSLock(ctx, repository("two").ID, "a")
		return err
	})
	won := together(t, 8, codecommit.ErrExists, func(i int) error {
		return h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
			return tx.InsertLFSLock(ctx, repoID, lfsLock(fmt.Sprint("race", i), "race"))
		})
	})
	if won != 1 {
		t.Errorf("%d callers locked one path", won)
	}
}

// testLFSLockOrder: locks are listed by the bytes of their paths, page by page.
func testLFSLockOrder(t *testing.T, h Host) {
	paths := []string{"a", "A", "a/b", "a.b", "ä", "Z", "z", "\U0001F600", "a b", "~"}
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
		for i, p := range paths {
			if err := tx.InsertLFSLock(ctx, repoID, lfsLock(fmt.Sprint(i), p)); err != nil {
				return err
			}
		}
		return nil
	})
	slices.Sort(paths)
	for limit := 1; limit <= len(paths)+1; limit++ {
		var got []string
		for after := ""; ; {
			var locks []codecommit.LFSLock
			view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) (err error) {
				locks, err = tx.LFSLocks(ctx, repoID, codecommit.Page{After: after, Limit: limit})
				return err
			})
			for _, l := range locks {
				got = append(got, l.Path)
			}
			if len(locks) < limit {
				break
			}
			after = got[len(got)-1]
		}
		if d := cmp.Diff(paths, got); d != "" {
			t.Errorf("pages of %d (-want +got):\n%s", limit, d)
		}
	}
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		locks, err := tx.LFSLocks(ctx, repo.ID("nobody's"), codecommit.Page{Limit: 10})
		if len(locks) != 0 {
			t.Errorf("another repository has %d locks", len(locks))
		}
		return err
	})
}
