package repo

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
)

func sortedRefs(m map[refname.Name]oid.ID) []Ref {
	var refs []Ref
	for _, name := range slices.Sorted(maps.Keys(m)) {
		refs = append(refs, Ref{Name: name, OID: m[name]})
	}
	return refs
}

// TestRefs: whatever changes are applied, one generation after the other, the refs are
// those of a map with the same changes, however they are asked for; and an older
// generation stays what it was.
func TestRefs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.Custom(func(t *rapid.T) refname.Name {
			folder := rapid.SampledFrom([]string{"refs/heads/", "refs/heads/a/", "refs/headsx", "refs/tags/"}).Draw(t, "folder")
			return refname.Name(folder + fmt.Sprintf("%03d", rapid.IntRange(0, 999).Draw(t, "n")))
		})
		live := map[refname.Name]oid.ID{}
		var refs, before Refs
		var was []Ref
		for range rapid.IntRange(1, 6).Draw(t, "generations") {
			before, was = refs, slices.Collect(refs.All())
			change := map[refname.Name]oid.ID{}
			for range rapid.IntRange(0, 3).Draw(t, "ranges") { // many at once, so that blocks grow and shrink
				first, to := name.Draw(t, "first"), oid.ID{rapid.ByteRange(0, 3).Draw(t, "to")}
				folder, n := string(first[:len(first)-3]), 0
				_, _ = fmt.Sscan(string(first[len(first)-3:]), &n)
				step := rapid.SampledFrom([]int{1, 1, 7}).Draw(t, "step")
				for i := range rapid.SampledFrom([]int{1, 2, 50, 150, 400, 900}).Draw(t, "many") {
					change[refname.Name(fmt.Sprintf("%s%03d", folder, n+i*step))] = to
				}
			}
			refs = refs.With(sortedRefs(change))
			maps.Copy(live, change)
			maps.DeleteFunc(live, func(_ refname.Name, id oid.ID) bool { return id.IsZero() })
			sameRefs(t, refs, sortedRefs(live))
			wellFormed(t, refs)
			sameRefs(t, before, was)
			sameAnswers(t, refs, sortedRefs(live), name.Draw(t, "name"))
		}
	})
}

func sameRefs(t *rapid.T, got Refs, want []Ref) {
	if all := slices.Collect(got.All()); !slices.Equal(all, want) || got.Len() != len(want) {
		t.Fatalf("%d refs %v, want %d: %v", got.Len(), all, len(want), want)
	}
}

// wellFormed: the blocks are few, none is large or empty, and their sizes add up.
func wellFormed(t *rapid.T, r Refs) {
	count, bytes := 0, 0
	for i, b := range r.blocks {
		count, bytes = count+len(b.refs), bytes+b.bytes
		if len(b.refs) == 0 || len(b.refs) > maxBlock {
			t.Fatalf("a block of %d", len(b.refs))
		}
		if i == 0 {
			continue
		}
		if last := len(r.blocks[i-1].refs); min(last, len(b.refs)) < minBlock && last+len(b.refs) <= maxBlock {
			t.Fatalf("blocks of %d and %d beside each other", last, len(b.refs))
		}
	}
	if count != r.Len() || bytes != r.Bytes() {
		t.Fatalf("%d refs of %d bytes are told as %d of %d", count, bytes, r.Len(), r.Bytes())
	}
}

func sameAnswers(t *rapid.T, got Refs, want []Ref, name refname.Name) {
	i := slices.IndexFunc(want, func(r Ref) bool { return r.Name == name })
	if r, ok := got.Find(name); ok != (i >= 0) || ok && r != want[i] {
		t.Fatalf("found %v (%v)", r, ok)
	}
	if r, ok := got.First(); ok != (len(want) > 0) || ok && r != want[0] {
		t.Fatalf("%v is first (%v)", r, ok)
	}
	for _, prefix := range []string{"", "refs/heads/", "refs/heads/a/1", "refs/tags/", "z", string(name), string(name[:len(name)-1])} {
		for _, after := range []string{"", "refs/heads/", "refs/heads/a/150", "zz", string(name), string(name) + "x"} {
			var all, lines []Ref
			for p := range got.Parts(prefix, after) {
				all = append(all, p.Refs()...)
				for range strings.Count(string(p.Lines(true)), "\n") {
					lines = append(lines, Ref{})
				}
			}
			some := slices.DeleteFunc(slices.Clone(want), func(r Ref) bool {
				return !strings.HasPrefix(string(r.Name), prefix) || string(r.Name) <= after
			})
			if !slices.Equal(all, some) || len(lines) != len(some) {
				t.Fatalf("below %q after %q are %v (%d lines), want %v", prefix, after, all, len(lines), some)
			}
		}
	}
}

// TestRefsShareWhatDidNotChange: one changed ref costs one block.
func TestRefsShareWhatDidNotChange(t *testing.T) {
	old := manyRefs(20_000)
	for _, b := range old.blocks {
		b.lines(false)
	}
	next := old.With([]Ref{{Name: "refs/heads/010000", OID: oid.ID{2}}})
	if len(next.blocks) != len(old.blocks) {
		t.Fatalf("%d blocks became %d", len(old.blocks), len(next.blocks))
	}
	changed := 0
	for i, b := range next.blocks {
		if b != old.blocks[i] {
			changed++
		}
	}
	if changed != 1 {
		t.Errorf("%d of %d blocks were made anew", changed, len(next.blocks))
	}
	if allocs := testing.AllocsPerRun(10, func() { old.With([]Ref{{Name: "refs/heads/010000", OID: oid.ID{2}}}) }); allocs > 10 {
		t.Errorf("one change takes %v allocations", allocs)
	}
}

func manyRefs(n int) Refs {
	refs := make([]Ref, n)
	for i := range refs {
		refs[i] = Ref{Name: refname.Name(fmt.Sprintf("refs/heads/%06d", i)), OID: oid.ID{1}}
	}
	return NewRefs(refs)
}

func BenchmarkRefsWith(b *testing.B) {
	refs := manyRefs(100_000)
	changes := []Ref{{Name: "refs/heads/050000x", OID: oid.ID{2}}}
	b.ReportAllocs()
	for b.Loop() {
		refs.With(changes)
	}
}
