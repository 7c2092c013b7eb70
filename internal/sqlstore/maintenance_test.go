package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/maintenance"
	"github.com/refward/refward/internal/repo"
)

var day = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// withPacks makes a repository with packs p0, p1, …, every other one of them inline.
func withPacks(t *testing.T, db *DB, id repo.ID, packs int) {
	t.Helper()
	err := db.CodeCommit().Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		r := codecommit.Repository{Account: "111122223333", ID: id, Name: string(id), Created: day, Modified: day, Head: "refs/heads/main"}
		if err := tx.InsertRepository(ctx, r); err != nil {
			return err
		}
		for i := range packs {
			gen, err := tx.Advance(ctx, id, 0, day)
			if err != nil {
				return err
			}
			p := repo.Pack{ID: fmt.Sprint("p", i), SHA256: "x", Size: int64(100 + i), Objects: 3, Created: day}
			if i%2 == 0 {
				p.Inline = []byte("bytes")
			} else {
				p.Key = string(id) + "/" + p.ID
			}
			if err := tx.InsertPack(ctx, id, gen, p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func livePacks(t *testing.T, s maintenance.Store, id repo.ID) (all []string) {
	t.Helper()
	packs, err := s.Packs(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packs {
		all = append(all, p.ID)
	}
	return all
}

func consolidated(id repo.ID, name string) repo.Pack {
	return repo.Pack{ID: name, Key: string(id) + "/" + name, SHA256: "y", Size: 500, Objects: 9, Created: day, Bitmap: true, Consolidated: true}
}

func TestReplace(t *testing.T) {
	db := openTest(t)
	s := db.Maintenance()
	withPacks(t, db, "r", 4)
	before, err := s.Snapshot(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	one := consolidated("r", "q1")
	if err := s.Replace(t.Context(), "r", 0, []string{"p0", "p1", "p2"}, one, day); err != nil {
		t.Fatal(err)
	}
	now, err := s.Snapshot(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	if got := livePacks(t, s, "r"); !slices.Equal(got, []string{"p3", "q1"}) || now.Gen != before.Gen+1 || now.Epoch != before.Epoch || now.Head != "refs/heads/main" {
		t.Errorf("the packs are %v, the snapshot %+v", got, now)
	}
	if got := now.Packs[1]; !samePack(got, one) {
		t.Errorf("the new pack reads as %+v", got)
	}
	// Who reads an older snapshot still finds the bytes of a small pack.
	if data, err := db.Packs().PackData(t.Context(), "r", "p0"); err != nil || string(data) != "bytes" {
		t.Errorf("the bytes of a dead pack are %q (%v)", data, err)
	}
	// The compare-and-swap: everything or nothing.
	for name, try := range map[string]func() error{
		"a dead pack": func() error {
			return s.Replace(t.Context(), "r", 0, []string{"p3", "p0"}, consolidated("r", "q2"), day)
		},
		"another epoch":    func() error { return s.Replace(t.Context(), "r", 1, []string{"p3"}, consolidated("r", "q2"), day) },
		"a pack of nobody": func() error { return s.Replace(t.Context(), "r", 0, []string{"p9"}, consolidated("r", "q2"), day) },
		"a deleted repository": func() error {
			return s.Replace(t.Context(), "gone", 0, []string{"p3"}, consolidated("gone", "q2"), day)
		},
		"a pack named for twice": func() error {
			return s.Replace(t.Context(), "r", 0, []string{"p3", "p3"}, consolidated("r", "q2"), day)
		},
	} {
		if err := try(); !errors.Is(err, maintenance.ErrStale) {
			t.Errorf("%s: got %v, want ErrStale", name, err)
		}
		after, err := s.Snapshot(t.Context(), "r")
		if got := livePacks(t, s, "r"); err != nil || !slices.Equal(got, []string{"p3", "q1"}) || after.Gen != now.Gen {
			t.Errorf("%s: the packs are %v, the generation %d (%v)", name, got, after.Gen, err)
		}
	}
	if _, err := s.Snapshot(t.Context(), "gone"); !errors.Is(err, maintenance.ErrNotFound) {
		t.Errorf("a snapshot of nothing: %v", err)
	}
}

func TestDeadPacks(t *testing.T) {
	db := openTest(t)
	s := db.Maintenance()
	withPacks(t, db, "r", 4)
	withPacks(t, db, "s", 1)
	if err := s.Replace(t.Context(), "r", 0, []string{"p0", "p1"}, consolidated("r", "q1"), day); err != nil {
		t.Fatal(err)
	}
	err := db.CodeCommit().Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		return tx.DeleteRepository(ctx, "s", day.Add(time.Hour))
	})
	if err != nil {
		t.Fatal(err)
	}
	dead := func(before time.Time, limit int) (all []string) {
		t.Helper()
		found, err := s.DeadPacks(t.Context(), before, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			all = append(all, string(d.Repository)+"/"+d.Pack.ID+" "+d.Died.Format("15:04")+" "+d.Pack.Key)
		}
		return all
	}
	if got := dead(day.Add(-1), 10); len(got) != 0 {
		t.Errorf("before they died: %v", got)
	}
	if got := dead(day, 10); !slices.Equal(got, []string{"r/p0 12:00 ", "r/p1 12:00 r/p1"}) {
		t.Errorf("at that time: %v", got)
	}
	if got := dead(day.Add(time.Hour), 10); len(got) != 3 || got[2] != "s/p0 13:00 " {
		t.Errorf("an hour later: %v", got)
	}
	if got := dead(day.Add(time.Hour), 1); len(got) != 1 {
		t.Errorf("one at a time: %v", got)
	}
	for _, pack := range []string{"p0", "p0", "p2", "p9"} { // dead, gone, live, nobody's
		if err := s.DropPack(t.Context(), "r", pack); err != nil {
			t.Error(err)
		}
	}
	if got := dead(day, 10); !slices.Equal(got, []string{"r/p1 12:00 r/p1"}) {
		t.Errorf("after one was dropped: %v", got)
	}
	if got := livePacks(t, s, "r"); !slices.Equal(got, []string{"p2", "p3", "q1"}) {
		t.Errorf("the live packs are %v", got)
	}
	for key, want := range map[string]bool{"r/p1": true, "r/p3": true, "r/q1": true, "r/p0": false, "r/p9": false, "x/p1": false, "other": true, "a/b/c": true} {
		if got, err := s.Listed(t.Context(), key); got != want || err != nil {
			t.Errorf("%s is listed: %v, want %v (%v)", key, got, want, err)
		}
	}
}

// TestDeadLFS: the objects of a deleted repository are known, as dead, until they are
// dropped.
func TestDeadLFS(t *testing.T) {
	db := openTest(t)
	s := db.Maintenance()
	withPacks(t, db, "r", 1)
	withPacks(t, db, "s", 1)
	key := func(id repo.ID, b byte) string { return fmt.Sprintf("%s/lfs/%s-0123456789abcdef", id, lfs.OID{0: b}) }
	err := db.CodeCommit().Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) (err error) {
		for _, id := range []repo.ID{"r", "s"} {
			for b := byte(1); b <= 3; b++ {
				o := codecommit.LFSObject{Object: lfs.Object{OID: lfs.OID{0: b}, Size: 5}, Key: key(id, b), Created: day}
				err = errors.Join(err, tx.InsertLFSObject(ctx, id, o))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	dead := func(before time.Time, limit int) (all []string) {
		t.Helper()
		found, err := s.DeadLFS(t.Context(), before, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			if !d.Died.Equal(day) {
				t.Errorf("%s died %v", d.Key, d.Died)
			}
			all = append(all, d.Key)
		}
		return all
	}
	if got := dead(day, 10); len(got) != 0 {
		t.Errorf("of repositories that are there: %v", got)
	}
	err = db.CodeCommit().Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		return tx.DeleteRepository(ctx, "s", day)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := dead(day.Add(-1), 10); len(got) != 0 {
		t.Errorf("before they died: %v", got)
	}
	if got := dead(day, 2); !slices.Equal(got, []string{key("s", 1), key("s", 2)}) {
		t.Errorf("two of them: %v", got)
	}
	if err := s.DropLFS(t.Context(), key("s", 1), "never there", key("r", 1)); err != nil {
		t.Fatal(err)
	}
	if got := dead(day, 10); !slices.Equal(got, []string{key("s", 2), key("s", 3)}) {
		t.Errorf("after one was dropped: %v", got)
	}
	for key, want := range map[string]bool{
		key("r", 1): true, key("s", 2): true, // live, and dead
		key("s", 1): false, key("r", 9): false, key("x", 1): false, strings.Replace(key("r", 1), "0123", "3210", 1): false,
		"r/lfs/" + lfs.OID{}.String(): true, // no key that an object was given
	} {
		if got, err := s.Listed(t.Context(), key); got != want || err != nil {
			t.Errorf("%s is listed: %v, want %v (%v)", key, got, want, err)
		}
	}
	if err := s.DropLFS(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestCrowded(t *testing.T) {
	db := openTest(t)
	s := db.Maintenance()
	withPacks(t, db, "a", 3)
	withPacks(t, db, "b", 1)
	withPacks(t, db, "c", 5) // the last has 104 bytes
	withPacks(t, db, "d", 5)
	if err := s.Replace(t.Context(), "d", 0, []string{"p0", "p1", "p2", "p3"}, consolidated("d", "q"), day); err != nil { // 500 bytes
		t.Fatal(err)
	}
	for _, tc := range []struct {
		after repo.ID
		packs int
		bytes int64
		limit int
		want  []repo.ID
	}{
		{"", 3, 10_000, 10, []repo.ID{"a", "c"}},
		{"", 3, 10_000, 1, []repo.ID{"a"}},
		{"a", 3, 10_000, 10, []repo.ID{"c"}},
		{"", 100, 104, 10, []repo.ID{"c", "d"}},
		{"", 100, 10_000, 10, nil},
	} {
		got, err := s.Crowded(t.Context(), tc.after, tc.packs, tc.bytes, tc.limit)
		if err != nil || !slices.Equal(got, tc.want) {
			t.Errorf("%+v: got %v (%v)", tc, got, err)
		}
	}
}

func samePack(a, b repo.Pack) bool {
	return a.ID == b.ID && a.Key == b.Key && a.SHA256 == b.SHA256 && a.Size == b.Size && a.Objects == b.Objects &&
		a.Created.Equal(b.Created) && a.Bitmap == b.Bitmap && a.Consolidated == b.Consolidated && a.Inline == nil
}
