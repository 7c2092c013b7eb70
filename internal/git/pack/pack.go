// Package pack reads and writes pack files and reads their indexes, in the formats of
// gitformat-pack(5), as far as a host needs it beside git itself: it writes small packs
// without deltas, says what kind and size the objects of a pack are, and reads them. It
// also takes in small packs from a client, and makes their index ([Small]); what is in
// the least odd there is left to git index-pack. The packs of a [File] have been through
// one or the other.
package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

// ErrSyntax is wrapped by errors about files that are not what they should be.
var ErrSyntax = errors.New("malformed pack")

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

func isDelta(kind uint8) bool { return kind == offsetDelta || kind == refDelta }

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

// Size returns how long the object at an offset is, unpacked.
func (f *File) Size(offset int64) (int64, error) {
	u := unpackers.Get().(*unpacker)
	defer unpackers.Put(u)
	e, err := u.open(f, offset)
	if err != nil || !isDelta(e.kind) {
		return e.size, err
	}
	if err = u.begin(u.src); err == nil {
		var size int64
		if size, err = resultSize(u.z); err == nil {
			return size, nil
		}
	}
	return 0, fmt.Errorf("%w: the delta at %d: %w", ErrSyntax, offset, err)
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
		if !isDelta(e.kind) {
			return object.Type(e.kind), nil
		}
		if offset, err = f.baseOffset(e); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("%w: too long a chain of deltas", ErrBeyond)
}
