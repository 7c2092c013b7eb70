package repo

import (
	"context"
	"errors"
	"fmt"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
	"github.com/refward/refward/internal/git/refname"
)

const (
	// maxNearPack bounds the bytes of a pack that is made without git.
	maxNearPack = 1 << 20
	// maxNearDepth bounds the chains of deltas in it: those of several packs may join.
	maxNearDepth = 50
)

// near makes a pack without git where little is to be sent: starting a process costs more
// than that. There is no progress to tell of. ok is false where git has to do it, and
// nothing was written.
func (p *packing) near(ctx context.Context, c *lease, band *bandOne) (ok bool, err error) {
	if p.filter != "" || p.fresh && p.snap.objects() > nearReads*2 {
		return false, nil
	}
	data, err := p.nearPack(ctx, c)
	if err != nil || data == nil {
		return false, err
	}
	if _, err := band.Write(data); err != nil {
		return false, err
	}
	return true, band.Close()
}

// nearPack returns the pack, or nil where git has to make it. It waits for nobody while it
// has its place: few of them bound the memory for what is walked.
func (p *packing) nearPack(ctx context.Context, c *lease) ([]byte, error) {
	release, err := p.house.packing.Take(ctx)
	if err != nil {
		return nil, fmt.Errorf("wait for a place: %w", err)
	}
	defer release()
	s, err := c.shelf()
	if err != nil {
		return nil, nil
	}
	defer s.close()
	n := newNearWalk(s)
	if n.run(p.wants, p.common) != nil || n.tags(p) != nil {
		return nil, nil
	}
	b, err := newNearPack(n, p.thin)
	if err != nil {
		return nil, nil
	}
	if p.fresh {
		b.Grow(int(min(p.snap.bytes(), maxNearPack)))
	}
	for _, id := range n.send {
		if _, err := b.write(id); err != nil {
			return nil, nil
		}
	}
	return b.Pack(), nil
}

// objects counts those of all packs.
func (s *Snapshot) objects() (n int64) {
	for _, p := range s.Packs {
		n += p.Objects
	}
	return n
}

// bytes counts those of all packs.
func (s *Snapshot) bytes() (n int64) {
	for _, p := range s.Packs {
		n += p.Size
	}
	return n
}

// tags sends the annotated tags whose objects are sent.
func (n *nearWalk) tags(p *packing) error {
	if p.tags == "" {
		return nil
	}
	for r := range p.snap.Refs.Prefix(refname.TagsPrefix) {
		if _, ok := n.spots[r.Peeled]; !ok || r.Peeled.IsZero() || n.has(r.OID) {
			continue
		}
		typ, content, err := n.read(r.OID)
		if err != nil {
			return err
		}
		if typ != object.Tag {
			return typeError(r.OID, typ, object.Tag)
		}
		if to, _, err := object.ParseTagTarget(content); err != nil || to != r.Peeled {
			return errors.Join(errFar, err) // a tag of a tag
		}
		if err := n.add(r.OID); err != nil {
			return err
		}
	}
	return nil
}

// nearPack makes the pack of what was found. Objects are copied as they stand in the
// repository's packs where the client can read them so.
type nearPack struct {
	*nearWalk
	pack.Builder
	thin bool
	ids  map[spot]oid.ID
	done map[oid.ID]int // the depth of what is written, or writing
}

// newNearPack looks up what the objects are likely to be deltas of.
func newNearPack(n *nearWalk, thin bool) (*nearPack, error) {
	b := &nearPack{nearWalk: n, thin: thin, ids: make(map[spot]oid.ID, len(n.spots)+len(n.were)), done: make(map[oid.ID]int, len(n.spots))}
	for id, at := range n.spots {
		b.ids[at] = id
	}
	for id := range n.were {
		if _, ok := n.spots[id]; ok {
			continue
		}
		at, ok, err := n.find(id)
		if err != nil {
			return nil, err
		}
		if ok {
			b.ids[at] = id
		}
	}
	return b, nil
}

// writing marks an object that waits for the base of its delta: a damaged pack may have
// deltas that hang on each other.
const writing = -1

// write writes an object after what it is a delta of, and returns how long its chain is.
func (b *nearPack) write(id oid.ID) (depth int, err error) {
	if depth, ok := b.done[id]; ok {
		return depth, nil
	}
	b.done[id] = writing
	at := b.spots[id]
	st, err := at.pack.stored(at.offset, b.budget)
	if err != nil {
		return 0, err
	}
	b.budget -= st.Size
	base, depth := oid.ID{}, 0
	if st.Delta {
		if base, depth, err = b.base(at, st); err != nil {
			return 0, err
		}
	}
	switch {
	case !st.Delta || depth > 0:
		b.Copy(st, base)
	default:
		typ, content, err := b.resolve(at.pack.File, at.offset)
		if err == nil {
			err = b.Add(object.Raw{Type: typ, Content: content})
		}
		if err != nil {
			return 0, err
		}
	}
	if b.Len() > maxNearPack {
		return 0, errFar
	}
	b.done[id] = depth
	return depth, nil
}

// base returns what an object is a delta of, where the client has or gets that before,
// and how long the chain is with it; 0: it cannot be sent as a delta.
func (b *nearPack) base(at spot, st pack.Stored) (base oid.ID, depth int, err error) {
	base = st.BaseID
	if base.IsZero() {
		if base, err = b.at(at.pack, st.BaseOffset); err != nil || base.IsZero() {
			return base, 0, err
		}
	}
	if _, ok := b.spots[base]; ok {
		if depth, err = b.write(base); err != nil || depth == writing || depth == maxNearDepth {
			return base, 0, err
		}
	} else if _, ok := b.known[base]; !ok || !b.thin {
		return base, 0, nil
	}
	return base, depth + 1, nil
}

// at returns the object at an offset: one that is sent, or, where it is quickly found, any.
func (b *nearPack) at(p *openPack, offset int64) (oid.ID, error) {
	if id, ok := b.ids[spot{p, offset}]; ok || p.order == nil {
		return id, nil
	}
	return p.order.ID(offset)
}
