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
		for r := range snap.Refs.All() {
			if !yield(wire.Ref{Name: r.Name, OID: r.OID, Peeled: r.Peeled}) {
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
