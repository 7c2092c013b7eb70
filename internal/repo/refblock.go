package repo

import (
	"strings"
	"sync/atomic"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/git/wire"
)

// RefBlock is some refs that follow each other in the order of their names. It never
// changes, so what was once made of it is right as long as it is there. It is safe for
// concurrent use.
type RefBlock struct {
	refs  []Ref
	tags  bool // some are annotated tags
	bytes int

	plain, peeled atomic.Pointer[wire.Lines]
}

// What a ref and its packet take besides the name.
const (
	bytesOfRef  = 56
	bytesOfLine = 50
)

// newBlock copies the refs, and their names into one piece: the garbage collector then
// has one thing to look at where it had one for each ref.
func newBlock(refs []Ref) *RefBlock {
	b := &RefBlock{refs: make([]Ref, len(refs))}
	size := 0
	for _, r := range refs {
		size += len(r.Name)
	}
	var names strings.Builder
	names.Grow(size)
	for _, r := range refs {
		_, _ = names.WriteString(string(r.Name)) // never fails
		b.tags = b.tags || !r.Peeled.IsZero()
	}
	b.bytes = len(refs)*(bytesOfRef+bytesOfLine) + 2*size
	if b.tags {
		b.bytes += len(refs)*(bytesOfLine+oid.HexLen) + size
	}
	left := names.String()
	for i, r := range refs {
		r.Name, left = refname.Name(left[:len(r.Name)]), left[len(r.Name):]
		b.refs[i] = r
	}
	return b
}

// first is the least name.
func (b *RefBlock) first() refname.Name { return b.refs[0].Name }

// lines returns the refs as packets, which with peel tell what is behind annotated tags.
// They are made when they are first asked for.
func (b *RefBlock) lines(peel bool) *wire.Lines {
	peel = peel && b.tags
	kept := &b.plain
	if peel {
		kept = &b.peeled
	}
	if l := kept.Load(); l != nil {
		return l
	}
	l := wire.NewLines(func(yield func(wire.Ref) bool) {
		for _, r := range b.refs {
			if !yield(wire.Ref{Name: r.Name, OID: r.OID, Peeled: r.Peeled}) {
				return
			}
		}
	}, len(b.refs), peel)
	kept.Store(l) // who comes at the same time makes the same
	return l
}

// RefPart is the refs of a block from the Lo-th up to, but not including, the Hi-th.
type RefPart struct {
	Block  *RefBlock
	Lo, Hi int
}

// Refs returns the refs, which are part of the block and must not be changed.
func (p RefPart) Refs() []Ref { return p.Block.refs[p.Lo:p.Hi] }

// Lines returns the refs as packets, which must not be changed. With peel they tell what
// is behind annotated tags.
func (p RefPart) Lines(peel bool) []byte { return p.Block.lines(peel).Range(p.Lo, p.Hi) }
