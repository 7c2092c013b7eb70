package repo

import (
	"iter"
	"slices"
	"strings"

	"github.com/refward/refward/internal/git/refname"
)

// Refs is the refs of a repository at one generation, sorted by name, byte-wise. It is
// immutable, and the zero value has none. The refs lie in blocks, and [Refs.With] shares
// with what it was made from all blocks in which nothing changes: a generation costs what
// differs from the one before, and so does all that is remembered of a block.
type Refs struct {
	blocks []*RefBlock
	count  int
	bytes  int
}

const (
	maxBlock  = 256 // refs in a block
	fullBlock = 192 // refs in each of the blocks that many refs are cut into
	minBlock  = 64  // a block with fewer is put together with its neighbour, if there is room
)

// NewRefs returns refs that are sorted by name.
func NewRefs(sorted []Ref) Refs { return Refs{}.With(sorted) }

// Len is how many refs there are.
func (r Refs) Len() int { return r.count }

// Bytes is about how much memory they take, with all that may be remembered of their
// blocks.
func (r Refs) Bytes() int { return r.bytes }

// With applies changes, which are sorted by name. One without an object is a deletion.
func (r Refs) With(changes []Ref) Refs {
	next := Refs{blocks: make([]*RefBlock, 0, len(r.blocks)+1)}
	blocks := r.blocks
	if len(blocks) == 0 {
		blocks = []*RefBlock{{}}
	}
	for i, b := range blocks {
		n := len(changes)
		if i+1 < len(blocks) {
			n, _ = search(changes, string(blocks[i+1].first()))
		}
		if n == 0 {
			next.add(b)
			continue
		}
		refs := merge(b.refs, changes[:n])
		changes = changes[n:]
		for pieces := (len(refs) + fullBlock - 1) / fullBlock; len(refs) > maxBlock; pieces-- {
			size := len(refs) / pieces
			next.add(newBlock(refs[:size]))
			refs = refs[size:]
		}
		next.add(newBlock(refs))
	}
	for _, b := range next.blocks {
		next.count += len(b.refs)
		next.bytes += b.bytes
	}
	return next
}

// add appends a block, or puts it together with the last one.
func (r *Refs) add(b *RefBlock) {
	last := len(r.blocks) - 1
	switch {
	case len(b.refs) == 0:
	case last >= 0 && min(len(b.refs), len(r.blocks[last].refs)) < minBlock && len(b.refs)+len(r.blocks[last].refs) <= maxBlock:
		r.blocks[last] = newBlock(slices.Concat(r.blocks[last].refs, b.refs))
	default:
		r.blocks = append(r.blocks, b)
	}
}

// merge applies changes to refs; both are sorted by name.
func merge(refs, changes []Ref) []Ref {
	merged := make([]Ref, 0, len(refs)+len(changes))
	for _, c := range changes {
		n, found := search(refs, string(c.Name))
		merged = append(merged, refs[:n]...)
		if refs = refs[n:]; found {
			refs = refs[1:]
		}
		if !c.OID.IsZero() {
			merged = append(merged, c)
		}
	}
	return append(merged, refs...)
}

// search finds a name among sorted refs, or its place.
func search(refs []Ref, name string) (i int, found bool) {
	return slices.BinarySearchFunc(refs, name, func(r Ref, n string) int { return strings.Compare(string(r.Name), n) })
}

// block returns the place of the block in which a ref of this name is, if there is one.
func (r Refs) block(name string) int {
	i, found := slices.BinarySearchFunc(r.blocks, name, func(b *RefBlock, n string) int { return strings.Compare(string(b.first()), n) })
	if !found && i > 0 {
		i--
	}
	return i
}

// Find returns the ref of that name.
func (r Refs) Find(name refname.Name) (Ref, bool) {
	if r.count == 0 {
		return Ref{}, false
	}
	b := r.blocks[r.block(string(name))]
	i, ok := search(b.refs, string(name))
	if !ok {
		return Ref{}, false
	}
	return b.refs[i], true
}

// First returns the ref with the least name, if there is one.
func (r Refs) First() (Ref, bool) {
	if r.count == 0 {
		return Ref{}, false
	}
	return r.blocks[0].refs[0], true
}

// All returns the refs in order.
func (r Refs) All() iter.Seq[Ref] { return r.Prefix("") }

// Prefix returns the refs whose names begin with prefix, in order.
func (r Refs) Prefix(prefix string) iter.Seq[Ref] {
	return func(yield func(Ref) bool) {
		for p := range r.Parts(prefix, "") {
			for _, ref := range p.Refs() {
				if !yield(ref) {
					return
				}
			}
		}
	}
}

// Parts returns, block by block, where those refs are whose names begin with prefix and
// are greater than after.
func (r Refs) Parts(prefix, after string) iter.Seq[RefPart] {
	return func(yield func(RefPart) bool) {
		from := max(prefix, after)
		for _, b := range r.blocks[min(len(r.blocks), r.block(from)):] {
			lo, found := search(b.refs, from)
			if found && from == after && after != "" {
				lo++
			}
			n, _ := slices.BinarySearchFunc(b.refs[lo:], prefix, func(r Ref, p string) int {
				if strings.HasPrefix(string(r.Name), p) {
					return -1
				}
				return 1
			})
			if n > 0 && !yield(RefPart{b, lo, lo + n}) || lo+n < len(b.refs) {
				return
			}
		}
	}
}
