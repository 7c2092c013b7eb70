package pack

import (
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

// Encode returns a pack of these objects, each once and none as a delta.
func Encode(objects []object.Raw) ([]byte, error) {
	var b Builder
	for _, o := range objects {
		if err := b.Add(o); err != nil {
			return nil, err
		}
	}
	return b.Pack(), nil
}

// Builder makes a pack in memory. The zero value is ready.
type Builder struct {
	b     []byte // begins with room for the header
	count uint32
}

// deflaters have a megabyte of memory each.
var deflaters = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

// Len returns how many bytes the pack has so far, of at least [HeaderSize].
func (b *Builder) Len() int { return max(len(b.b), HeaderSize) }

// Grow makes room for so many bytes at once.
func (b *Builder) Grow(n int) {
	if b.b == nil {
		b.b = make([]byte, HeaderSize, HeaderSize+n)
	}
}

// begin makes room for the header and counts an entry.
func (b *Builder) begin() {
	b.Grow(4 << 10)
	b.count++
}

// Add compresses an object.
func (b *Builder) Add(o object.Raw) error {
	b.begin()
	b.b = appendEntryHeader(b.b, uint8(o.Type), int64(len(o.Content)))
	z := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(z)
	z.Reset((*tail)(b))
	_, err := z.Write(o.Content)
	if err := errors.Join(err, z.Close()); err != nil {
		return fmt.Errorf("compress an object: %w", err)
	}
	return nil
}

// Copy adds an object as it stands in another pack. base is what a delta is made of.
func (b *Builder) Copy(s Stored, base oid.ID) {
	b.begin()
	if s.Delta {
		b.b = appendEntryHeader(b.b, refDelta, s.Size)
		b.b = append(b.b, base[:]...)
	} else {
		b.b = appendEntryHeader(b.b, uint8(s.Type), s.Size)
	}
	b.b = append(b.b, s.Data...)
}

// Pack returns the pack with its checksum. The Builder is of no more use.
func (b *Builder) Pack() []byte {
	b.Grow(TrailerSize)
	copy(b.b, AppendHeader(nil, b.count))
	sum := sha1.Sum(b.b)
	return append(b.b, sum[:]...)
}

// tail writes to the end of what a Builder has.
type tail Builder

// Write implements [io.Writer].
func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	return len(p), nil
}

// AppendHeader appends the [HeaderSize] bytes that a pack of so many objects begins with.
func AppendHeader(b []byte, objects uint32) []byte {
	b = append(b, signature...)
	b = binary.BigEndian.AppendUint32(b, version)
	return binary.BigEndian.AppendUint32(b, objects)
}

// appendEntryHeader appends three bits of kind and the size in base 128, whose lowest
// four bits stand beside the kind.
func appendEntryHeader(b []byte, kind uint8, size int64) []byte {
	first := kind<<4 | byte(size&0x0f)
	rest := uint64(size) >> 4
	if rest == 0 {
		return append(b, first)
	}
	return binary.AppendUvarint(append(b, first|0x80), rest)
}
