package codecommit

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

func sortedRefs(m map[refname.Name]oid.ID) []repo.Ref {
	refs := []repo.Ref{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		refs = append(refs, repo.Ref{Name: name, OID: m[name]})
	}
	return refs
}

// Merging changes into sorted refs does what it does to a map.
func TestMergeRefs(t *testing.T) {
	names := rapid.SampledFrom([]refname.Name{"refs/heads/a", "refs/heads/a-b", "refs/heads/a/b", "refs/heads/b", "refs/tags/a"})
	rapid.Check(t, func(t *rapid.T) {
		live := rapid.MapOf(names, rapid.Map(rapid.ByteRange(1, 9), func(b byte) oid.ID { return oid.ID{b} })).Draw(t, "refs")
		changes := rapid.MapOf(names, rapid.Map(rapid.ByteRange(0, 9), func(b byte) oid.ID { return oid.ID{b} })).Draw(t, "changes")
		got := mergeRefs(sortedRefs(live), sortedRefs(changes))
		maps.Copy(live, changes)
		maps.DeleteFunc(live, func(_ refname.Name, id oid.ID) bool { return id.IsZero() })
		if diff := cmp.Diff(sortedRefs(live), got); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestSnapshotCacheIsBounded(t *testing.T) {
	var c snapshotCache
	refs := make([]repo.Ref, snapshotRows/4)
	for i := range 10 {
		c.put(&repo.Snapshot{ID: repo.ID(fmt.Sprint(i)), Refs: refs})
		c.get("0") // used all the time
	}
	if c.rows > snapshotRows || c.order.Len() != len(c.byID) {
		t.Errorf("%d rows in %d snapshots, the limit is %d", c.rows, len(c.byID), snapshotRows)
	}
	if c.get("0") == nil || c.get("1") != nil || c.get("9") == nil {
		t.Error("it does not drop the one that was read longest ago")
	}
}

func TestSnapshotCacheKeepsTheNewest(t *testing.T) {
	var c snapshotCache
	c.put(&repo.Snapshot{ID: "a", Gen: 2})
	c.put(&repo.Snapshot{ID: "a", Gen: 1})
	if got := c.get("a"); got.Gen != 2 {
		t.Errorf("generation %d", got.Gen)
	}
}

func BenchmarkMergeRefs(b *testing.B) {
	refs := make([]repo.Ref, 100_000)
	for i := range refs {
		refs[i] = repo.Ref{Name: refname.Name(fmt.Sprintf("refs/heads/%06d", i)), OID: oid.ID{1}}
	}
	changes := []repo.Ref{{Name: "refs/heads/050000x", OID: oid.ID{2}}}
	b.ReportAllocs()
	for b.Loop() {
		mergeRefs(refs, changes)
	}
}
