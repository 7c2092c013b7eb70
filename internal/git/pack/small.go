package pack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

// SmallLimits bound what a [Small] takes on.
type SmallLimits struct {
	Pack     int   // bytes of the pack as it is sent
	Objects  int   // in it
	Unpacked int64 // bytes of all objects, deltas and bases together
	Chain    int   // how many deltas hang one on the other
}

// Small takes in one small pack from a stream, without a git process. It keeps every
// byte that it read, so that another can begin where it began ([Small.Again]): whatever
// is odd in a pack is an error here, and not a verdict on the pack.
//
// It is used in this order: [Small.Parse], [Small.Resolve], then the others. Parse waits
// for whoever sends the pack, and holds no more memory than the pack's bytes need;
// Resolve waits for nobody, and holds the objects. Not safe for concurrent use.
type Small struct {
	src    io.Reader
	failed error // what a Read said, once
	limits SmallLimits

	raw     []byte // all that was read
	at      int    // so much of it was used; after Parse the end of the pack
	left    int64  // of the bytes that may be unpacked
	entries []smallEntry
	deltas  int
	foreign []byte // entries behind those that were sent: bases of a thin pack
}

// smallEntry is one object of a small pack.
type smallEntry struct {
	offset  int
	data    int // where its compressed data begin
	size    int64
	crc     uint32
	kind    uint8
	base    int    // of an offsetDelta: its base's place among the entries
	baseID  oid.ID // of a refDelta
	content []byte // of the object, or of the delta until it is resolved

	typ     object.Type // zero: a delta that is not resolved
	id      oid.ID
	depth   int // how many deltas it is made with
	foreign bool
}

// NewSmall returns a Small that reads a pack from src. Nothing is read yet.
func NewSmall(src io.Reader, limits SmallLimits) *Small {
	return &Small{src: src, limits: limits, left: limits.Unpacked}
}

// Again returns a reader of everything from the beginning: what was read, and then the
// rest, which is what src reads from.
func (s *Small) Again(rest io.Reader) io.Reader {
	if s.failed != nil {
		rest = failing{s.failed}
	}
	return io.MultiReader(bytes.NewReader(s.raw), rest)
}

// Failed returns the error of the stream, if it had one other than its end.
func (s *Small) Failed() error {
	if errors.Is(s.failed, io.EOF) {
		return nil
	}
	return s.failed
}

// firstRead is how much is asked for at first: most pushes are less.
const firstRead = 4 << 10

// fill reads once, and at least one byte. It is called only when a byte is missing: a
// client that has sent its pack may wait for the answer with the connection open.
func (s *Small) fill() error {
	if len(s.raw) >= s.limits.Pack {
		return fmt.Errorf("%w: the pack has more than %d bytes", ErrBeyond, s.limits.Pack)
	}
	const patience = 100
	for range patience {
		if s.failed != nil {
			return s.failed
		}
		s.raw = slices.Grow(s.raw, firstRead)
		n, err := s.src.Read(s.raw[len(s.raw):cap(s.raw)])
		s.raw, s.failed = s.raw[:len(s.raw)+n], err
		if n > 0 {
			return nil
		}
	}
	return io.ErrNoProgress
}

// ReadByte implements [io.ByteReader], so that a decompressor reads no further than its
// data go.
func (s *Small) ReadByte() (byte, error) {
	if s.at == len(s.raw) {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	s.at++
	return s.raw[s.at-1], nil
}

// Read implements [io.Reader].
func (s *Small) Read(p []byte) (int, error) {
	if s.at == len(s.raw) && len(p) > 0 {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.raw[s.at:])
	s.at += n
	return n, nil
}

// next takes n bytes.
func (s *Small) next(n int) ([]byte, error) {
	start := s.at
	for len(s.raw) < start+n {
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
	s.at = start + n
	return s.raw[start:s.at], nil
}

// Parse reads the pack to its end, finds the entries in it and compares its checksum.
func (s *Small) Parse() error {
	head, err := s.next(HeaderSize)
	if err != nil {
		return err
	}
	n, err := ParseHeader(head)
	if err != nil {
		return err
	}
	if v := binary.BigEndian.Uint32(head[4:]); v != version || n == 0 || int64(n) > int64(s.limits.Objects) {
		return fmt.Errorf("%w: %d objects, version %d", ErrBeyond, n, v)
	}
	s.entries = make([]smallEntry, 0, n)
	for range n {
		if err := s.entry(); err != nil {
			return fmt.Errorf("object %d of %d: %w", len(s.entries)+1, n, err)
		}
	}
	sum, err := checksum(s.raw[:s.at])
	if err != nil {
		return err
	}
	trailer, err := s.next(TrailerSize)
	if err != nil {
		return err
	}
	if oid.ID(trailer) != sum {
		return fmt.Errorf("%w: its checksum is another", ErrSyntax)
	}
	return nil
}

// checksum is SHA-1, as long as nobody tampers with it.
func checksum(b []byte) (oid.ID, error) {
	sum, safe := object.SumChecked(b)
	if !safe {
		return oid.Zero, fmt.Errorf("%w: the marks of a collision of SHA-1", ErrSyntax)
	}
	return sum, nil
}

// deflate32K is the first byte of all compressed data that git and its likes write: with
// a window of 32 KiB. Decompressors disagree about what fits in a smaller one.
const deflate32K = 0x78

// entry finds the end of one object, or of a delta.
func (s *Small) entry() (err error) {
	e := smallEntry{offset: s.at}
	if e.size, err = s.entryHead(&e); err != nil {
		return err
	}
	if e.size > s.left {
		return fmt.Errorf("%w: more than %d bytes unpacked", ErrBeyond, s.limits.Unpacked)
	}
	s.left -= e.size
	e.data = s.at
	u := unpackers.Get().(*unpacker)
	defer unpackers.Put(u)
	if err := u.skip(s, e.size); err != nil {
		return fmt.Errorf("unpack it: %w", err)
	}
	if s.raw[e.data] != deflate32K {
		return fmt.Errorf("%w: compressed in a way that git does not", ErrSyntax)
	}
	e.crc = crc32.ChecksumIEEE(s.raw[e.offset:s.at])
	s.entries = append(s.entries, e)
	return nil
}

// skip unpacks what has to be just so many bytes with a right checksum, and keeps none.
func (u *unpacker) skip(src io.Reader, size int64) error {
	if err := u.begin(src); err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, io.LimitReader(u.z, size+1))
	if err == nil && n != size {
		err = fmt.Errorf("%w: not as many bytes as its head says", ErrSyntax)
	}
	return err
}

// open unpacks the entries.
func (s *Small) open() error {
	u := unpackers.Get().(*unpacker)
	defer unpackers.Put(u)
	for i := range s.entries {
		e := &s.entries[i]
		content, err := u.inflate(bytes.NewReader(s.raw[e.data:s.at]), e.size)
		if err != nil {
			return err
		}
		e.content = content
		if isDelta(e.kind) {
			continue
		}
		if err := e.become(object.Type(e.kind), content); err != nil {
			return err
		}
	}
	return nil
}

// entryHead reads what stands before the compressed data, and returns its size unpacked.
// Only the shortest form of a number is taken.
func (s *Small) entryHead(e *smallEntry) (size int64, err error) {
	c, err := s.ReadByte()
	if err != nil {
		return 0, err
	}
	e.kind, size = c>>4&7, int64(c&0x0f)
	const mostBits = 32
	for shift := 4; c&0x80 != 0; shift += 7 {
		if shift > mostBits {
			return 0, badEntry(int64(e.offset))
		}
		if c, err = s.ReadByte(); err != nil {
			return 0, err
		}
		if c == 0 {
			return 0, badEntry(int64(e.offset))
		}
		size |= int64(c&0x7f) << shift
	}
	switch e.kind {
	case offsetDelta:
		s.deltas++
		return size, s.baseBefore(e)
	case refDelta:
		s.deltas++
		id, err := s.next(oid.Size)
		if err == nil {
			e.baseID = oid.ID(id)
		}
		return size, err
	case uint8(object.Commit), uint8(object.Tree), uint8(object.Blob), uint8(object.Tag):
		return size, nil
	}
	return 0, badEntry(int64(e.offset))
}

// baseBefore reads how far before a delta its base begins. An entry has to begin just
// there.
func (s *Small) baseBefore(e *smallEntry) error {
	var b []byte
	const most = 4
	for len(b) == 0 || b[len(b)-1]&0x80 != 0 {
		c, err := s.ReadByte()
		if err != nil {
			return err
		}
		if b = append(b, c); len(b) > most {
			return badEntry(int64(e.offset))
		}
	}
	back, _ := backOffset(b)
	var ok bool
	e.base, ok = slices.BinarySearchFunc(s.entries, int64(e.offset)-back, func(e smallEntry, at int64) int { return e.offset - int(at) })
	if !ok {
		return fmt.Errorf("%w: no object begins where a base is to be", ErrSyntax)
	}
	return nil
}

// become makes the entry an object.
func (e *smallEntry) become(t object.Type, content []byte) error {
	id, safe := object.HashChecked(t, content)
	if !safe {
		return fmt.Errorf("%w: %s has the marks of a collision of SHA-1", ErrSyntax, id)
	}
	e.typ, e.content, e.id = t, content, id
	return nil
}

// failing is a stream that has failed already.
type failing struct{ err error }

// Read fails.
func (f failing) Read([]byte) (int, error) { return 0, f.err }
