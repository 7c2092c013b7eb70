package gitserver

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo"
)

// drawnSnapshot has enough refs for their lines to be kept.
func drawnSnapshot(t *rapid.T, id repo.ID, gen int64) *repo.Snapshot {
	s := &repo.Snapshot{ID: id, Gen: gen}
	tags := rapid.Bool().Draw(t, "tags")
	for i := range rapid.IntRange(manyRefs, 3*manyRefs).Draw(t, "refs") {
		r := repo.Ref{Name: refname.Name(fmt.Sprintf("refs/heads/%c/%d", 'a'+i%7, i)), OID: oid.ID{1, byte(i), byte(gen)}}
		if tags && i%5 == 0 {
			r.Name, r.Peeled = refname.Name(fmt.Sprintf("refs/tags/%d", i)), oid.ID{2, byte(i)}
		}
		s.Refs = append(s.Refs, r)
	}
	slices.SortFunc(s.Refs, func(a, b repo.Ref) int { return strings.Compare(string(a.Name), string(b.Name)) })
	s.Head = rapid.SampledFrom([]refname.Name{"", "refs/heads/none", s.Refs[0].Name}).Draw(t, "head")
	return s
}

// TestRefLines: what is kept says, byte for byte, what is written ref by ref, in every
// order of generations, forms and prefixes.
func TestRefLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c refLines
		snaps := map[string]*repo.Snapshot{}
		for range rapid.IntRange(1, 12).Draw(t, "requests") {
			id, gen := rapid.SampledFrom([]repo.ID{"a", "b"}).Draw(t, "id"), rapid.Int64Range(1, 3).Draw(t, "gen")
			key := fmt.Sprint(id, gen)
			if snaps[key] == nil {
				snaps[key] = drawnSnapshot(t, id, gen)
			}
			snap := snaps[key]
			if rapid.Bool().Draw(t, "push") {
				version := rapid.IntRange(0, 2).Draw(t, "version")
				var got, want bytes.Buffer
				if err := c.advertisePush(&got, snap, version); err != nil {
					t.Fatal(err)
				}
				if err := pushAdvertisement(snap, version).Encode(&want); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.Bytes(), want.Bytes()) {
					t.Fatalf("advertised\n%s\nwant\n%s", got.String(), want.String())
				}
				continue
			}
			prefix := rapid.SampledFrom([]string{"", "HEAD", "refs/", "refs/heads/a", "refs/heads/b/", "refs/tags/1", "refs/zzz", "a", "refs/heads/a/7"})
			q := &wire.LsRefs{
				Peel: rapid.Bool().Draw(t, "peel"), Symrefs: rapid.Bool().Draw(t, "symrefs"), Unborn: rapid.Bool().Draw(t, "unborn"),
				Prefixes: rapid.SliceOfN(prefix, 0, 4).Draw(t, "prefixes"),
			}
			var got, want bytes.Buffer
			if err := c.lsRefs(&got, snap, q); err != nil {
				t.Fatal(err)
			}
			if err := q.EncodeRefs(&want, listed(snap, q)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Fatalf("%+v is answered with\n%s\nwant\n%s", q, got.String(), want.String())
			}
		}
		sum := 0
		for e := c.order.Front(); e != nil; e = e.Next() {
			sum += e.Value.(*keptLines).bytes()
		}
		if sum != c.bytes || c.order.Len() != len(c.byID) {
			t.Fatalf("%d bytes in %d, accounted as %d in %d", sum, c.order.Len(), c.bytes, len(c.byID))
		}
	})
}

func TestRefLinesAreBounded(t *testing.T) {
	var c refLines
	refs := snapshotOf(20_000).Refs
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 20 {
				c.of(&repo.Snapshot{ID: repo.ID(fmt.Sprint(w, i)), Refs: refs}, w%2 == 0)
			}
		})
	}
	wg.Wait()
	if c.bytes > maxLineBytes || c.bytes < maxLineBytes/2 || c.order.Len() != len(c.byID) {
		t.Errorf("%d bytes in %d of %d, the limit is %d", c.bytes, c.order.Len(), len(c.byID), maxLineBytes)
	}
	few := snapshotOf(manyRefs - 1)
	few.ID = "few"
	if c.of(few, true) != nil {
		t.Error("lines of a few refs are kept")
	}
}

// TestRefLinesAreOfTheGeneration: a late reader of an old snapshot neither gets newer
// lines nor puts its own in their place.
func TestRefLinesAreOfTheGeneration(t *testing.T) {
	var c refLines
	old, now := snapshotOf(100), snapshotOf(101)
	old.ID, old.Gen, now.ID, now.Gen = "a", 1, "a", 2
	first := c.of(now, false)
	if l := c.of(old, false); bytes.Contains(l.Range(0, 100), []byte("000100")) {
		t.Error("the old snapshot shows a newer ref")
	}
	if c.of(now, false) != first {
		t.Error("the newer lines were made again")
	}
}
