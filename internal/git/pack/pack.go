// Package pack reads and writes pack files and reads their indexes, in the formats of
// gitformat-pack(5), as far as a host needs it beside git itself: it writes small packs
// without deltas, says what kind and size the objects of a pack are, and reads them. It
// also takes in small packs from a client, and makes their index ([Small]); what is in
// the least odd there is left to git index-pack. The packs of a [File] have been through
// one or the other.
package pack

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

// ErrSyntax is wrapped by errors about files that are not what they should be.
var ErrSyntax = errors.New("malformed pack")

// ErrDelta is returned for an object that is stored as a delta.
var ErrDelta = errors.New("the object is stored as a delta")

const (
	signature = "PACK"
	version   = 2

	// HeaderSize is the length of a pack's head.
	HeaderSize = 12
	// TrailerSize is the length of the checksum at its end.
	TrailerSize = 20
)

// ParseHeader reads the head of a pack and returns how many objects it holds.
func ParseHeader(b []byte) (objects uint32, err error) {
	if len(b) < HeaderSize || string(b[:4]) != signature {
		return 0, fmt.Errorf("%w: no pack signature", ErrSyntax)
	}
	if v := binary.BigEndian.Uint32(b[4:]); v != 2 && v != 3 {
		return 0, fmt.Errorf("%w: version %d", ErrSyntax, v)
	}
	return binary.BigEndian.Uint32(b[8:]), nil
}

// The types of an entry that are not types of an object.
const (
	offsetDelta = 6
	refDelta    = 7
)

// File reads a pack with its index. Safe for concurrent use if its readers are.
type File struct {
	pack  io.ReaderAt
	size  int64
	Index *Index
}

// NewFile returns a reader of a pack of size bytes.
func NewFile(pack io.ReaderAt, size int64, index *Index) *File {
	return &File{pack: pack, size: size, Index: index}
}

// entry is the head of one object in the pack.
type entry struct {
	kind   uint8 // an object.Type, or a kind of delta
	size   int64 // of the object, or of the delta
	base   int64 // of an offsetDelta: where its base is
	baseID oid.ID
	data   int64 // where the compressed data begins
}

// maxEntryHead is more than the head of an entry can have: ten bytes of size, and ten
// of offset or twenty of ID.
const maxEntryHead = 10 + oid.Size

func (f *File) entry(offset int64) (entry, error) {
	var buf [maxEntryHead]byte
	n, err := f.pack.ReadAt(buf[:], offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return entry{}, fmt.Errorf("read the pack: %w", err)
	}
	return parseEntry(buf[:n], offset)
}

// parseEntry reads the head of the object at an offset from the bytes that begin there.
func parseEntry(b []byte, offset int64) (entry, error) {
	if offset < HeaderSize || len(b) == 0 {
		return entry{}, badEntry(offset)
	}
	e := entry{kind: b[0] >> 4 & 7, size: int64(b[0] & 0x0f)}
	used := 1
	if b[0]&0x80 != 0 {
		rest, m := binary.Uvarint(b[1:])
		if m <= 0 || rest > 1<<59 {
			return entry{}, badEntry(offset)
		}
		e.size |= int64(rest << 4)
		used += m
	}
	switch {
	case e.kind == refDelta:
		if len(b) < used+oid.Size {
			return entry{}, badEntry(offset)
		}
		e.baseID = oid.ID(b[used : used+oid.Size])
		used += oid.Size
	case e.kind == offsetDelta:
		back, m := backOffset(b[used:])
		if m == 0 || back <= 0 || back > offset {
			return entry{}, badEntry(offset)
		}
		e.base = offset - back
		used += m
	case e.kind < uint8(object.Commit) || e.kind > uint8(object.Tag):
		return entry{}, badEntry(offset)
	}
	e.data = offset + int64(used)
	return e, nil
}

func badEntry(offset int64) error {
	return fmt.Errorf("%w: the head of the object at %d", ErrSyntax, offset)
}

// backOffset reads the number that says how far before a delta its base is. It is not
// the usual base 128: each byte but the last also adds one.
func backOffset(b []byte) (n int64, used int) {
	for i, c := range b {
		if i == 9 {
			return 0, 0
		}
		n = n<<7 | int64(c&0x7f)
		if c&0x80 == 0 {
			return n, i + 1
		}
		n++
	}
	return 0, 0
}

var inflaters = sync.Pool{}

// inflate opens the data of an entry. done gives back what was borrowed.
func (f *File) inflate(e entry) (r io.Reader, done func(), err error) {
	src := bufio.NewReaderSize(io.NewSectionReader(f.pack, e.data, f.size-e.data), 512)
	if z, ok := inflaters.Get().(io.ReadCloser); ok {
		if err := z.(zlib.Resetter).Reset(src, nil); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrSyntax, err)
		}
		return z, func() { inflaters.Put(z) }, nil
	}
	z, err := zlib.NewReader(src)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return z, func() { inflaters.Put(z) }, nil
}

// Size returns how long the object at an offset is, unpacked.
func (f *File) Size(offset int64) (int64, error) {
	e, err := f.entry(offset)
	if err != nil || e.kind != offsetDelta && e.kind != refDelta {
		return e.size, err
	}
	// A delta begins with two numbers: the lengths of its base and of its result.
	r, done, err := f.inflate(e)
	if err != nil {
		return 0, err
	}
	defer done()
	b := bufio.NewReaderSize(r, 32)
	if _, err := binary.ReadUvarint(b); err != nil {
		return 0, fmt.Errorf("%w: the delta at %d: %w", ErrSyntax, offset, err)
	}
	size, err := binary.ReadUvarint(b)
	if err != nil || size > 1<<62 {
		return 0, fmt.Errorf("%w: the delta at %d", ErrSyntax, offset)
	}
	return int64(size), nil
}

// maxChain bounds how far a chain of deltas is followed.
const maxChain = 10_000

// Type returns the type of the object at an offset, following deltas to their base.
func (f *File) Type(offset int64) (object.Type, error) {
	steps := int64(maxChain)
	return f.TypeWithin(offset, &steps)
}

// TypeWithin is Type for those who count what they read: each object on the way takes
// one of the steps, and where they do not suffice the error is [ErrBeyond].
func (f *File) TypeWithin(offset int64, steps *int64) (object.Type, error) {
	for ; *steps > 0; *steps-- {
		e, err := f.entry(offset)
		if err != nil {
			return 0, err
		}
		if e.kind != offsetDelta && e.kind != refDelta {
			return object.Type(e.kind), nil
		}
		if offset, err = f.baseOffset(e); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%w: too long a chain of deltas", ErrBeyond)
}

// Head returns type and size of the object at an offset; [ErrDelta].
func (f *File) Head(offset int64) (object.Type, int64, error) {
	e, err := f.entry(offset)
	if err != nil {
		return 0, 0, err
	}
	if e.kind == offsetDelta || e.kind == refDelta {
		return 0, 0, ErrDelta
	}
	return object.Type(e.kind), e.size, nil
}

// Read returns the content of the object at an offset; [ErrDelta]. The caller has seen
// its size.
func (f *File) Read(offset int64) ([]byte, error) {
	e, err := f.entry(offset)
	if err != nil {
		return nil, err
	}
	if e.kind == offsetDelta || e.kind == refDelta {
		return nil, ErrDelta
	}
	r, done, err := f.inflate(e)
	if err != nil {
		return nil, err
	}
	defer done()
	content := make([]byte, e.size)
	if _, err := io.ReadFull(r, content); err != nil {
		return nil, fmt.Errorf("%w: the object at %d: %w", ErrSyntax, offset, err)
	}
	return content, nil
}
