package codecommittest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

func refNumber(i int) refname.Name { return refname.Name(strconv.Itoa(i)) }

func testSwapRef(t *testing.T, h Host) {
	g1 := mustMove(t, h.Store, codecommit.RefMove{Ref: main, New: id(1)}, codecommit.RefMove{Ref: "refs/tags/v1", New: id(9), Peeled: id(1)})
	for what, m := range map[string]codecommit.RefMove{
		"create what exists":            {Ref: main, New: id(2)},
		"change from another value":     {Ref: main, Old: id(2), New: id(3)},
		"delete at another value":       {Ref: main, Old: id(2)},
		"change what does not exist":    {Ref: "refs/heads/x", Old: id(1), New: id(2)},
		"delete what does not exist":    {Ref: "refs/heads/x", Old: id(1)},
		"a name that differs in case":   {Ref: "refs/heads/MAIN", Old: id(1), New: id(2)},
		"the first of two stale moves":  {Ref: "refs/tags/v1", Old: id(1), New: id(2)},
		"a name with a trailing letter": {Ref: main + "x", Old: id(1), New: id(2)},
	} {
		_, err := move(t.Context(), h.Store, codecommit.RefMove{Ref: "refs/heads/innocent", New: id(1)}, m)
		wantErr(t, what, err, codecommit.ErrStale)
	}
	if d := cmp.Diff([]repo.Ref{{Name: main, OID: id(1)}, {Name: "refs/tags/v1", OID: id(9), Peeled: id(1)}}, refs(t, h.Store, 0)); d != "" {
		t.Fatalf("refused moves changed something (-want +got):\n%s", d)
	}
	g2 := mustMove(t, h.Store, codecommit.RefMove{Ref: main, Old: id(1), New: id(2)}, codecommit.RefMove{Ref: "refs/tags/v1", Old: id(9)})
	if d := cmp.Diff([]repo.Ref{{Name: main, OID: id(2)}}, refs(t, h.Store, 0)); d != "" {
		t.Errorf("refs (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]repo.Ref{{Name: main, OID: id(2)}, {Name: "refs/tags/v1"}}, refs(t, h.Store, g1)); d != "" {
		t.Errorf("changed since generation %d (-want +got):\n%s", g1, d)
	}
	if got := refs(t, h.Store, g2); len(got) != 0 {
		t.Errorf("changed since now: %v", got)
	}
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		_, gone := tx.Ref(ctx, repoID, "refs/tags/v1")
		wantErr(t, "a deleted ref", gone, codecommit.ErrNotFound)
		r, err := tx.Ref(ctx, repoID, main)
		if d := cmp.Diff(repo.Ref{Name: main, OID: id(2)}, r); d != "" {
			t.Errorf("ref (-want +got):\n%s", d)
		}
		return err
	})
	_, err := move(t.Context(), h.Store, codecommit.RefMove{Ref: "refs/tags/v1", Old: id(9), New: id(1)})
	wantErr(t, "change a deleted ref from its last value", err, codecommit.ErrStale)
	mustMove(t, h.Store, codecommit.RefMove{Ref: "refs/tags/v1", New: id(4)})
	if d := cmp.Diff([]repo.Ref{{Name: "refs/tags/v1", OID: id(4)}}, refs(t, h.Store, g2)); d != "" {
		t.Errorf("after re-creation the delta is (-want +got):\n%s", d)
	}
}

func testSwapRace(t *testing.T, h Host) {
	mustMove(t, h.Store, codecommit.RefMove{Ref: main, New: id(1)})
	const workers = 8
	for what, m := range map[string]codecommit.RefMove{
		"change": {Ref: main, Old: id(1)},
		"create": {Ref: "refs/heads/new"},
	} {
		won := together(t, workers, codecommit.ErrStale, func(i int) error {
			mine := m
			mine.New = id(byte(100 + i))
			_, err := move(t.Context(), h.Store, mine)
			return err
		})
		if won != 1 {
			t.Errorf("%s: %d of %d won", what, won, workers)
		}
	}
	won := together(t, workers, codecommit.ErrStale, func(i int) error {
		_, err := move(t.Context(), h.Store, codecommit.RefMove{Ref: "refs/heads/own" + refNumber(i), New: id(1)})
		return err
	})
	if won != workers {
		t.Errorf("only %d of %d moved a ref of their own", won, workers)
	}
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		r, err := tx.RepositoryByID(ctx, repoID)
		if want := int64(1 + 1 + 1 + workers); r.Gen != want {
			t.Errorf("generation is %d after %d updates", r.Gen, want)
		}
		return err
	})
}

func testRefConflict(t *testing.T, h Host) {
	deep := refname.Name("refs/heads/" + strings.Repeat("d/", 40) + "d")
	mustMove(t, h.Store, codecommit.RefMove{Ref: "refs/heads/a/b", New: id(1)}, codecommit.RefMove{Ref: "refs/heads/x", New: id(1)},
		codecommit.RefMove{Ref: "refs/heads/gone", New: id(1)}, codecommit.RefMove{Ref: "refs/heads/gone2/y", New: id(1)},
		codecommit.RefMove{Ref: deep, New: id(1)})
	mustMove(t, h.Store, codecommit.RefMove{Ref: "refs/heads/gone", Old: id(1)}, codecommit.RefMove{Ref: "refs/heads/gone2/y", Old: id(1)})
	for name, want := range map[refname.Name]refname.Name{
		"refs/heads/a":              "refs/heads/a/b",
		"refs/heads":                "refs/heads/*",
		"refs/heads/a/b":            "", // itself is not in its own way
		"refs/heads/a/b/c":          "refs/heads/a/b",
		"refs/heads/a/b/c/d":        "refs/heads/a/b",
		"refs/heads/a/c":            "",
		"refs/heads/a.b":            "", // sorts between a and a/b
		"refs/heads/a-":             "",
		"refs/heads/a0":             "", // sorts after a/…
		"refs/heads/A":              "",
		"refs/heads/x/y":            "refs/heads/x",
		"refs/heads/X/y":            "",
		"refs/heads/xx/y":           "",
		"refs/heads/gone/y":         "",
		"refs/heads/gone2":          "",
		"refs/tags/x":               "",
		deep + "/e":                 deep,
		deep + "/1/2/3/4/5/6/7/8/9": deep, // more folders than fit one query
		"refs/heads/d/d":            deep,
		"refs/heads/%":              "",
		"refs/heads/_":              "",
	} {
		view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
			got, err := tx.RefConflict(ctx, repoID, name)
			switch {
			case want == "":
				wantErr(t, "conflict of "+string(name), err, codecommit.ErrNotFound)
			case err != nil:
				t.Errorf("conflict of %s: %v", name, err)
			case want != "refs/heads/*" && got != want:
				t.Errorf("conflict of %s is %s, want %s", name, got, want)
			}
			_, other := tx.RefConflict(ctx, "another-repository", name)
			wantErr(t, "conflict in another repository", other, codecommit.ErrNotFound)
			return nil
		})
	}
}

// testRefOrder: names sort and differ byte by byte, whatever the bytes.
func testRefOrder(t *testing.T, h Host) {
	want := []refname.Name{"refs/heads/A", "refs/heads/B", "refs/heads/a", "refs/heads/a!", "refs/heads/a-b", "refs/heads/a.b", "refs/heads/a/b",
		"refs/heads/a0", "refs/heads/aB", "refs/heads/ab", "refs/heads/b", "refs/heads/z", "refs/heads/\u00e4", "refs/heads/\u00e4b", "refs/heads/\u0f00",
		"refs/heads/\U0001f600", "refs/heads/\xfe\xff"}
	if !slices.Equal(want, slices.Sorted(slices.Values(want))) {
		t.Fatal("the case itself is out of order")
	}
	var moves []codecommit.RefMove
	for i, n := range want {
		moves = append(moves, codecommit.RefMove{Ref: n, New: id(byte(i + 1))})
	}
	slices.Reverse(moves)
	mustMove(t, h.Store, codecommit.RefMove{Ref: "refs/x/first", New: id(1)})
	mustMove(t, h.Store, moves...)
	for since, what := range []string{"all", "since the first generation"} {
		var got []refname.Name
		for _, r := range refs(t, h.Store, int64(since)) {
			if !bytes.HasPrefix([]byte(r.Name), []byte("refs/x/")) {
				got = append(got, r.Name)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", what, d)
		}
	}
}

// testRefModel plays random moves against a map; whoever keeps a snapshot and refreshes
// it with deltas must have what a full reading has.
func testRefModel(t *testing.T, h Host) {
	names := rapid.SampledFrom([]refname.Name{"refs/heads/a", "refs/heads/b", "refs/heads/B", "refs/heads/a-", "refs/tags/a"})
	value := func(rt *rapid.T, label string) oid.ID {
		if b := rapid.ByteRange(0, 3).Draw(rt, label); b > 0 {
			return id(b)
		}
		return oid.Zero
	}
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		r := repository(fmt.Sprintf("model-%d", round))
		ctx := t.Context()
		if err := h.Store.Update(ctx, func(ctx context.Context, tx codecommit.Tx) error { return tx.InsertRepository(ctx, r) }); err != nil {
			rt.Fatal(err)
		}
		model, cache := map[refname.Name]oid.ID{}, map[refname.Name]oid.ID{}
		var seen int64
		for range rapid.IntRange(1, 12).Draw(rt, "moves") {
			m := codecommit.RefMove{Ref: names.Draw(rt, "ref"), Old: value(rt, "old"), New: value(rt, "new")}
			if m.Old.IsZero() && m.New.IsZero() {
				continue
			}
			err := h.Store.Update(ctx, func(ctx context.Context, tx codecommit.Tx) error {
				gen, err := tx.Advance(ctx, r.ID, 0, at)
				return errors.Join(err, tx.SwapRef(ctx, r.ID, gen, m))
			})
			if stale := model[m.Ref] != m.Old; stale != errors.Is(err, codecommit.ErrStale) || (!stale && err != nil) {
				rt.Fatalf("%v at %v answered %v", m, model[m.Ref], err)
			} else if !stale {
				model[m.Ref] = m.New
			}
			if rapid.Bool().Draw(rt, "refresh") {
				seen = refresh(rt, h.Store, r.ID, seen, cache)
				compareRefs(rt, h.Store, r.ID, model, cache)
			}
		}
		refresh(rt, h.Store, r.ID, seen, cache)
		compareRefs(rt, h.Store, r.ID, model, cache)
	})
}

// refresh brings a cache of refs up to date and returns its generation.
func refresh(rt *rapid.T, s codecommit.Store, repoID repo.ID, seen int64, cache map[refname.Name]oid.ID) (gen int64) {
	err := s.View(context.Background(), func(ctx context.Context, tx codecommit.Reader) error {
		r, err := tx.RepositoryByID(ctx, repoID)
		delta, err2 := tx.Refs(ctx, repoID, seen)
		for _, ref := range delta {
			cache[ref.Name] = ref.OID
		}
		gen = r.Gen
		return errors.Join(err, err2)
	})
	if err != nil {
		rt.Fatal(err)
	}
	return gen
}

func compareRefs(rt *rapid.T, s codecommit.Store, repoID repo.ID, model, cache map[refname.Name]oid.ID) {
	rt.Helper()
	dead := func(_ refname.Name, id oid.ID) bool { return id.IsZero() }
	maps.DeleteFunc(model, dead)
	maps.DeleteFunc(cache, dead)
	full := map[refname.Name]oid.ID{}
	refresh(rt, s, repoID, 0, full)
	if d := cmp.Diff(model, full); d != "" {
		rt.Fatalf("refs (-want +got):\n%s", d)
	}
	if d := cmp.Diff(model, cache); d != "" {
		rt.Fatalf("refs kept up to date by deltas (-want +got):\n%s", d)
	}
}

func testRefEvents(t *testing.T, h Host) {
	event := func(gen int64, ref refname.Name, old, new byte) codecommit.RefEvent {
		e := codecommit.RefEvent{Gen: gen, Move: codecommit.RefMove{Ref: ref, Peeled: id(7)}, Principal: "arn:aws:iam::111122223333:user/dev",
			Operation: "GitPush", RequestID: fmt.Sprint(old, new), At: at}
		if old > 0 {
			e.Move.Old = id(old)
		}
		if new > 0 {
			e.Move.New = id(new)
		}
		return e
	}
	first := []codecommit.RefEvent{event(1, main, 0, 1), event(1, "refs/heads/MAIN", 0, 1), event(1, main, 1, 2)}
	second := []codecommit.RefEvent{event(2, main, 2, 0)}
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
		return errors.Join(tx.AppendRefEvents(ctx, repoID, first), tx.AppendRefEvents(ctx, "another", first), tx.AppendRefEvents(ctx, repoID, nil))
	})
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
		return tx.AppendRefEvents(ctx, repoID, second)
	})
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		got, err := tx.RefEvents(ctx, repoID, main, 10)
		if d := cmp.Diff([]codecommit.RefEvent{second[0], first[2], first[0]}, got); d != "" {
			t.Errorf("reflog (-want +got):\n%s", d)
		}
		newest, err2 := tx.RefEvents(ctx, repoID, main, 1)
		if d := cmp.Diff(second, newest); d != "" {
			t.Errorf("the newest of it (-want +got):\n%s", d)
		}
		return errors.Join(err, err2)
	})
}

func inlinePack(id string) repo.Pack {
	return repo.Pack{ID: id, SHA256: strings.Repeat("ab", 32), Size: 4, Objects: 3, Inline: []byte{'P', 0, 255, '\n'}, Created: at}
}

func testPacks(t *testing.T, h Host) {
	large := repo.Pack{ID: "01B", Key: "111122223333/one/01B", SHA256: "cd", Size: 1 << 40, Objects: 5, Created: at}
	update(t, h.Store, func(ctx context.Context, tx codecommit.Tx) error {
		return errors.Join(tx.InsertPack(ctx, repoID, 2, large), tx.InsertPack(ctx, repoID, 1, inlinePack("01A")),
			tx.InsertPack(ctx, "another", 1, inlinePack("01C")))
	})
	listed := inlinePack("01A")
	listed.Inline = nil
	view(t, h.Store, func(ctx context.Context, tx codecommit.Reader) error {
		packs, err := tx.Packs(ctx, repoID)
		if d := cmp.Diff([]repo.Pack{listed, large}, packs); d != "" {
			t.Errorf("packs (-want +got):\n%s", d)
		}
		data, err2 := tx.PackData(ctx, repoID, "01A")
		if !bytes.Equal(data, inlinePack("01A").Inline) {
			t.Errorf("the pack's bytes are %q", data)
		}
		return errors.Join(err, err2)
	})
	data, err := h.Packs.PackData(t.Context(), repoID, "01A")
	if !bytes.Equal(data, inlinePack("01A").Inline) || err != nil {
		t.Errorf("the pack's bytes, outside a transaction: %q, %v", data, err)
	}
	for _, name := range []string{"01B", "01C", "01a", ""} {
		_, err := h.Packs.PackData(t.Context(), repoID, name)
		wantErr(t, "bytes of pack "+name, err, codecommit.ErrNotFound)
	}
	wantErr(t, "a pack's ID twice", h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
		return tx.InsertPack(ctx, repoID, 3, large)
	}), codecommit.ErrExists)
	for what, p := range map[string]repo.Pack{"neither key nor bytes": {ID: "01D"}, "key and bytes": {ID: "01E", Key: "k", Inline: []byte("P")}} {
		if err := h.Store.Update(t.Context(), func(ctx context.Context, tx codecommit.Tx) error {
			return tx.InsertPack(ctx, repoID, 3, p)
		}); err == nil {
			t.Errorf("a pack with %s was accepted", what)
		}
	}
}
