package gitserver

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo"
)

// listed returns the refs that ls-refs asks for: HEAD first, as git does, then the
// others by name.
func listed(snap *repo.Snapshot, q *wire.LsRefs) iter.Seq[wire.Ref] {
	return func(yield func(wire.Ref) bool) {
		for head := range listedHead(snap, q) {
			if !yield(head) {
				return
			}
		}
		prefixes := q.DisjointPrefixes()
		if len(prefixes) == 0 {
			prefixes = []string{""}
		}
		for _, p := range prefixes {
			for r := range snap.Refs.Prefix(p) {
				if !yield(wire.Ref{Name: r.Name, OID: r.OID, Peeled: r.Peeled}) {
					return
				}
			}
		}
	}
}

func drawnSnapshot(t *rapid.T) *repo.Snapshot {
	var refs []repo.Ref
	tags := rapid.Bool().Draw(t, "tags")
	for i := range rapid.IntRange(0, 600).Draw(t, "refs") {
		r := repo.Ref{Name: refname.Name(fmt.Sprintf("refs/heads/%c/%d", 'a'+i%7, i)), OID: oid.ID{1, byte(i)}}
		if tags && i%5 == 0 {
			r.Name, r.Peeled = refname.Name(fmt.Sprintf("refs/tags/%d", i)), oid.ID{2, byte(i)}
		}
		refs = append(refs, r)
	}
	slices.SortFunc(refs, func(a, b repo.Ref) int { return strings.Compare(string(a.Name), string(b.Name)) })
	s := &repo.Snapshot{Refs: repo.NewRefs(refs)}
	heads := []refname.Name{"", "refs/heads/none"}
	if len(refs) > 0 {
		heads = append(heads, refs[0].Name)
	}
	s.Head = rapid.SampledFrom(heads).Draw(t, "head")
	return s
}

// TestRefLines: what is kept says, byte for byte, what is written ref by ref, in every
// form and with any prefixes, before and after some refs change.
func TestRefLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snap := drawnSnapshot(t)
		for range rapid.IntRange(1, 12).Draw(t, "requests") {
			if rapid.Bool().Draw(t, "change") {
				moved := *snap
				moved.Refs = snap.Refs.With([]repo.Ref{{
					Name: refname.Name(rapid.SampledFrom([]string{"refs/heads/a/7", "refs/heads/c/9x", "refs/tags/5"}).Draw(t, "ref")),
					OID:  oid.ID{rapid.ByteRange(0, 9).Draw(t, "to")},
				}})
				snap = &moved
			}
			if rapid.Bool().Draw(t, "push") {
				sameAdvertisement(t, snap, rapid.IntRange(0, 2).Draw(t, "version"))
				continue
			}
			prefix := rapid.SampledFrom([]string{"", "HEAD", "refs/", "refs/heads/a", "refs/heads/b/", "refs/tags/1", "refs/zzz", "a", "refs/heads/a/7"})
			q := &wire.LsRefs{
				Peel: rapid.Bool().Draw(t, "peel"), Symrefs: rapid.Bool().Draw(t, "symrefs"), Unborn: rapid.Bool().Draw(t, "unborn"),
				Prefixes: rapid.SliceOfN(prefix, 0, 4).Draw(t, "prefixes"),
			}
			var got, want bytes.Buffer
			if err := lsRefs(&got, snap, q); err != nil {
				t.Fatal(err)
			}
			if err := q.EncodeRefs(&want, listed(snap, q)); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Fatalf("%+v is answered with\n%s\nwant\n%s", q, got.String(), want.String())
			}
		}
	})
}

func sameAdvertisement(t *rapid.T, snap *repo.Snapshot, version int) {
	var got, want bytes.Buffer
	if err := advertisePush(&got, snap, version); err != nil {
		t.Fatal(err)
	}
	if err := pushAdvertisement(snap, version).Encode(&want); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Fatalf("advertised\n%s\nwant\n%s", got.String(), want.String())
	}
}
