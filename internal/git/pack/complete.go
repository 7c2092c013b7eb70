package pack

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

// minDelta is the shortest delta that git takes.
const minDelta = 4

// A Base returns type and content of an object that is not in the pack, of at most limit
// bytes; ok is false where there is none.
type Base func(id oid.ID, limit int64) (t object.Type, content []byte, ok bool, err error)

// Resolve unpacks the objects, and makes objects of the deltas. Bases that are not in the
// pack become objects of it, as `git index-pack --fix-thin` has it. No object may be in it
// twice.
func (s *Small) Resolve(base Base) error {
	if err := s.open(); err != nil {
		return err
	}
	var r resolution
	sent := len(s.entries)
	r.byOffset, r.byID = make(map[int][]int), make(map[oid.ID][]int)
	for i, e := range s.entries {
		switch e.kind {
		case offsetDelta:
			r.byOffset[e.base] = append(r.byOffset[e.base], i)
		case refDelta:
			r.byID[e.baseID] = append(r.byID[e.baseID], i)
		}
	}
	for i := range sent {
		if isDelta(s.entries[i].kind) {
			continue
		}
		if err := s.resolveFrom(i, &r); err != nil {
			return err
		}
	}
	for i := range sent {
		if e := &s.entries[i]; e.kind != refDelta || e.typ != 0 {
			continue
		}
		i, ok, err := s.fetch(s.entries[i].baseID, base)
		if err != nil {
			return err
		}
		if !ok {
			continue // a delta that is still to be resolved may make it
		}
		if err := s.resolveFrom(i, &r); err != nil {
			return err
		}
	}
	return s.check()
}

// resolution has the deltas by their bases.
type resolution struct {
	byOffset map[int][]int
	byID     map[oid.ID][]int
}

// resolveFrom resolves what hangs on an object, and what hangs on that.
func (s *Small) resolveFrom(i int, r *resolution) error {
	for todo := []int{i}; len(todo) > 0; {
		base := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, children := range [][]int{r.byOffset[base], r.byID[s.entries[base].id]} {
			for _, child := range children {
				if s.entries[child].typ != 0 {
					continue // the object is there twice: that is seen later
				}
				if err := s.apply(child, base); err != nil {
					return err
				}
				todo = append(todo, child)
			}
		}
	}
	return nil
}

// apply makes an object of a delta.
func (s *Small) apply(child, base int) error {
	e, b := &s.entries[child], &s.entries[base]
	if e.depth = b.depth + 1; e.depth > s.limits.Chain {
		return fmt.Errorf("%w: a chain of more than %d deltas", ErrBeyond, s.limits.Chain)
	}
	if len(e.content) < minDelta {
		return fmt.Errorf("%w: a delta of %d bytes", ErrSyntax, len(e.content))
	}
	content, err := ApplyDelta(b.content, e.content, s.left)
	if err != nil {
		return err
	}
	s.left -= int64(len(content))
	return e.become(b.typ, content)
}

// fetch appends a base from elsewhere. It is hashed: what is stored is not taken for what
// it should be.
func (s *Small) fetch(id oid.ID, base Base) (place int, ok bool, err error) {
	if base == nil {
		return 0, false, nil
	}
	t, content, ok, err := base(id, s.left)
	if err != nil || !ok {
		return 0, false, err
	}
	if int64(len(content)) > s.left {
		return 0, false, fmt.Errorf("%w: more than %d bytes unpacked", ErrBeyond, s.limits.Unpacked)
	}
	s.left -= int64(len(content))
	e := smallEntry{offset: s.at - TrailerSize + len(s.foreign), kind: uint8(t), foreign: true}
	if err := e.become(t, content); err != nil {
		return 0, false, err
	}
	if e.id != id {
		return 0, false, fmt.Errorf("%w: what is stored as %s is %s", ErrSyntax, id, e.id)
	}
	var b Builder // for one entry
	if err := b.Add(object.Raw{Type: t, Content: content}); err != nil {
		return 0, false, err
	}
	e.crc = crc32.ChecksumIEEE(b.b[HeaderSize:])
	s.foreign = append(s.foreign, b.b[HeaderSize:]...)
	s.entries = append(s.entries, e)
	return len(s.entries) - 1, true, nil
}

// check finds deltas without a base, and objects that are there twice.
func (s *Small) check() error {
	seen := make(map[oid.ID]struct{}, len(s.entries))
	for i := range s.entries {
		e := &s.entries[i]
		if e.typ == 0 {
			return fmt.Errorf("%w: a delta without a base", ErrSyntax)
		}
		if _, twice := seen[e.id]; twice {
			return fmt.Errorf("%w: %s is in it twice", ErrSyntax, e.id)
		}
		seen[e.id] = struct{}{}
	}
	return nil
}

// SmallObject is an object of a [Small].
type SmallObject struct {
	ID      oid.ID
	Type    object.Type
	Content []byte
	Foreign bool // a base that was not sent
}

// Objects returns all of them, in the order of the pack.
func (s *Small) Objects() []SmallObject {
	all := make([]SmallObject, len(s.entries))
	for i, e := range s.entries {
		all[i] = SmallObject{ID: e.id, Type: e.typ, Content: e.content, Foreign: e.foreign}
	}
	return all
}

// Deltas returns how many of the objects were sent as deltas, and how many bases were
// added to them.
func (s *Small) Deltas() (sent, added int) {
	for _, e := range s.entries {
		if e.foreign {
			added++
		}
	}
	return s.deltas, added
}

// Beyond returns how many bytes were read behind the end of the pack.
func (s *Small) Beyond() int { return len(s.raw) - s.at }

// Pack returns the pack with its bases, and the checksum at its end, which names it.
func (s *Small) Pack() ([]byte, oid.ID, error) {
	if len(s.foreign) == 0 {
		b := s.raw[:s.at:s.at]
		return b, oid.ID(b[len(b)-TrailerSize:]), nil
	}
	b := AppendHeader(make([]byte, 0, s.at+len(s.foreign)), uint32(len(s.entries)))
	b = append(b, s.raw[HeaderSize:s.at-TrailerSize]...)
	b = append(b, s.foreign...)
	sum, err := checksum(b)
	return append(b, sum[:]...), sum, err
}

// Index returns the index of a pack with this checksum, byte for byte the one that git
// makes (gitformat-pack(5), version 2).
func (s *Small) Index(checksum oid.ID) []byte {
	sorted := make([]*smallEntry, len(s.entries))
	for i := range s.entries {
		sorted[i] = &s.entries[i]
	}
	slices.SortFunc(sorted, func(a, b *smallEntry) int { return bytes.Compare(a.id[:], b.id[:]) })
	const perObject = oid.Size + 4 + 4
	b := append(make([]byte, 0, int(namesStart)+len(sorted)*perObject+2*sha1.Size), indexMagic...)
	n := 0
	for first := range 256 {
		for n < len(sorted) && int(sorted[n].id[0]) <= first {
			n++
		}
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	for _, e := range sorted {
		b = append(b, e.id[:]...)
	}
	for _, e := range sorted {
		b = binary.BigEndian.AppendUint32(b, e.crc)
	}
	for _, e := range sorted {
		b = binary.BigEndian.AppendUint32(b, uint32(e.offset)) // small: far from the 64-bit ones
	}
	b = append(b, checksum[:]...)
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}
