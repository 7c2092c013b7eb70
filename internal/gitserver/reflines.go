package gitserver

import (
	"container/list"
	"io"
	"iter"
	"sync"

	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo"
)

const (
	// manyRefs is from how many refs on it pays to keep their lines.
	manyRefs = 64

	// maxLineBytes bounds the lines that are kept.
	maxLineBytes = 64 << 20
)

// refLines keeps the refs of repositories as lines of Git's protocol, of the newest
// generation that was asked for: whoever lists a repository with many refs gets the
// same ones. The zero value is empty and ready; it is safe for concurrent use.
type refLines struct {
	mu    sync.Mutex // guards all below
	byID  map[repo.ID]*list.Element
	order list.List // of *keptLines, the one used last in front
	bytes int
}

// keptLines is the lines of one generation. What peel adds is kept where it differs.
type keptLines struct {
	id            repo.ID
	gen           int64
	plain, peeled *wire.Lines
}

func (k *keptLines) bytes() int {
	n := 0
	if k.plain != nil {
		n = k.plain.Bytes()
	}
	if k.peeled != nil && k.peeled != k.plain {
		n += k.peeled.Bytes()
	}
	return n
}

// of returns the lines of all refs of a snapshot, or nil where it does not pay to make
// them.
func (c *refLines) of(snap *repo.Snapshot, peel bool) *wire.Lines {
	if len(snap.Refs) < manyRefs || snap.ID == "" {
		return nil
	}
	if l := c.known(snap, peel); l != nil {
		return l
	}
	l := wire.NewLines(func(yield func(wire.Ref) bool) { yieldRefs(snap.Refs, yield) }, len(snap.Refs), peel)
	if l != nil {
		c.put(snap, peel, l)
	}
	return l
}

func (c *refLines) known(snap *repo.Snapshot, peel bool) *wire.Lines {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byID[snap.ID]
	if !ok || e.Value.(*keptLines).gen != snap.Gen {
		return nil
	}
	c.order.MoveToFront(e)
	k := e.Value.(*keptLines)
	if peel {
		return k.peeled
	}
	return k.plain
}

// put keeps lines, unless those of a newer generation are there.
func (c *refLines) put(snap *repo.Snapshot, peel bool, l *wire.Lines) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[repo.ID]*list.Element{}
	}
	k := &keptLines{id: snap.ID, gen: snap.Gen}
	if e, ok := c.byID[snap.ID]; ok {
		switch old := e.Value.(*keptLines); {
		case old.gen > snap.Gen:
			return
		case old.gen == snap.Gen:
			*k = *old
		}
		c.drop(e)
	}
	if !peel {
		k.plain = l
	} else if k.peeled = l; !l.Peeled() {
		k.plain = l
	}
	c.byID[k.id] = c.order.PushFront(k)
	c.bytes += k.bytes()
	for c.bytes > maxLineBytes && c.order.Len() > 0 {
		c.drop(c.order.Back())
	}
}

func (c *refLines) drop(e *list.Element) {
	k := c.order.Remove(e).(*keptLines)
	delete(c.byID, k.id)
	c.bytes -= k.bytes()
}

// lsRefs answers ls-refs.
func (c *refLines) lsRefs(out io.Writer, snap *repo.Snapshot, q *wire.LsRefs) error {
	lines := c.of(snap, q.Peel)
	if lines == nil {
		return q.EncodeRefs(out, listed(snap, q))
	}
	var head *wire.Ref
	for r := range listedHead(snap, q) {
		head = &r
	}
	return q.EncodeLines(out, head, parts(snap, lines, q.DisjointPrefixes()))
}

// parts returns the lines of the refs below each prefix, or of all.
func parts(snap *repo.Snapshot, lines *wire.Lines, prefixes []string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(prefixes) == 0 {
			prefixes = []string{""}
		}
		for _, p := range prefixes {
			if i, j := snap.Below(p); i < j && !yield(lines.Range(i, j)) {
				return
			}
		}
	}
}

// advertisePush encodes what receive-pack says first.
func (c *refLines) advertisePush(out io.Writer, snap *repo.Snapshot, version int) error {
	a := pushAdvertisement(snap, version)
	lines := c.of(snap, false)
	if lines == nil {
		return a.Encode(out)
	}
	first := snap.Refs[0]
	return a.EncodeLines(out, wire.Ref{Name: first.Name, OID: first.OID}, lines.Range(1, len(snap.Refs)))
}
