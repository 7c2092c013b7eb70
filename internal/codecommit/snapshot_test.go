package codecommit

import (
	"fmt"
	"testing"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

func TestSnapshotCacheIsBounded(t *testing.T) {
	var c snapshotCache
	var all []repo.Ref
	for i := range 100_000 {
		all = append(all, repo.Ref{Name: refname.Name(fmt.Sprintf("refs/heads/%06d", i)), OID: oid.ID{1}})
	}
	refs := repo.NewRefs(all)
	for i := range 20 {
		c.put(&repo.Snapshot{ID: repo.ID(fmt.Sprint(i)), Refs: refs})
		c.get("0") // used all the time
	}
	if c.bytes > snapshotBytes || c.bytes < snapshotBytes/2 || c.order.Len() != len(c.byID) {
		t.Errorf("%d bytes in %d snapshots, the limit is %d", c.bytes, len(c.byID), snapshotBytes)
	}
	if c.get("0") == nil || c.get("1") != nil || c.get("19") == nil {
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
