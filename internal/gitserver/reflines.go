package gitserver

import (
	"io"
	"iter"

	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo"
)

// lsRefs answers ls-refs, with packets that were made before.
func lsRefs(out io.Writer, snap *repo.Snapshot, q *wire.LsRefs) error {
	var head *wire.Ref
	for r := range listedHead(snap, q) {
		head = &r
	}
	prefixes := q.DisjointPrefixes()
	if len(prefixes) == 0 {
		prefixes = []string{""}
	}
	return q.EncodeLines(out, head, lines(snap, prefixes, q.Peel, 0))
}

// lines returns the packets of the refs below each prefix, but for the first few.
func lines(snap *repo.Snapshot, prefixes []string, peel bool, but int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, prefix := range prefixes {
			for p := range snap.Refs.Parts(prefix, "") {
				p.Lo, but = p.Lo+but, 0
				if !yield(p.Lines(peel)) {
					return
				}
			}
		}
	}
}

// advertisePush encodes what receive-pack says first.
func advertisePush(out io.Writer, snap *repo.Snapshot, version int) error {
	a := pushAdvertisement(snap, version)
	first, ok := snap.Refs.First()
	if !ok {
		return a.Encode(out)
	}
	return a.EncodeLines(out, wire.Ref{Name: first.Name, OID: first.OID}, lines(snap, []string{""}, false, 1))
}
