package gitserver

import (
	"iter"

	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo"
)

// agent is what the server calls itself on the wire.
const agent = "agent=refward/1"

// advertised returns the refs of an advertisement, HEAD first where it is born.
func advertised(snap *repo.Snapshot) iter.Seq[wire.Ref] {
	return func(yield func(wire.Ref) bool) {
		if head, ok := snap.Ref(snap.Head); ok && !yield(wire.Ref{Name: wire.HEAD, OID: head.OID}) {
			return
		}
		_ = yieldRefs(snap.Refs, yield)
	}
}

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
			if !yieldRefs(snap.Prefix(p), yield) {
				return
			}
		}
	}
}

// listedHead returns HEAD where ls-refs asks for it and there is something to tell.
func listedHead(snap *repo.Snapshot, q *wire.LsRefs) iter.Seq[wire.Ref] {
	return func(yield func(wire.Ref) bool) {
		if snap.Head == "" || !q.Matches(wire.HEAD) {
			return
		}
		if head, born := snap.Ref(snap.Head); born || q.Unborn {
			yield(wire.Ref{Name: wire.HEAD, OID: head.OID, Symref: snap.Head})
		}
	}
}

func yieldRefs(refs []repo.Ref, yield func(wire.Ref) bool) bool {
	for _, r := range refs {
		if !yield(wire.Ref{Name: r.Name, OID: r.OID, Peeled: r.Peeled}) {
			return false
		}
	}
	return true
}
