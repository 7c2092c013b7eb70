package pack

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sort"
	"sync"

	"github.com/refward/refward/internal/git/oid"
)

// Index is the index of a pack, version 2. It reads only what it is asked for, and is
// safe for concurrent use if its reader is.
type Index struct {
	r     io.ReaderAt
	b     []byte      // all of it, where it is in memory
	fan   [256]uint32 // objects whose first byte is at most this
	count int64
}

const (
	indexMagic  = "\xfftOc\x00\x00\x00\x02"
	fanStart    = int64(len(indexMagic))
	namesStart  = fanStart + 256*4
	largeOffset = 1 << 31 // marks a place in the table of 64-bit offsets
)

// NewIndex reads the head of an index.
func NewIndex(r io.ReaderAt) (*Index, error) {
	head := make([]byte, namesStart)
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("%w: the head of the index: %w", ErrSyntax, err)
	}
	if !bytes.HasPrefix(head, []byte(indexMagic)) {
		return nil, fmt.Errorf("%w: not an index of version 2", ErrSyntax)
	}
	x := &Index{r: r}
	before := uint32(0)
	for i := range x.fan {
		x.fan[i] = binary.BigEndian.Uint32(head[fanStart+int64(i)*4:])
		if x.fan[i] < before {
			return nil, fmt.Errorf("%w: the index is not sorted", ErrSyntax)
		}
		before = x.fan[i]
	}
	x.count = int64(x.fan[255])
	return x, nil
}

// NewIndexBytes is NewIndex of one in memory.
func NewIndexBytes(b []byte) (*Index, error) {
	x, err := NewIndex(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) < namesStart+x.count*(oid.Size+8) {
		return nil, fmt.Errorf("%w: the index is cut off", ErrSyntax)
	}
	x.b = b
	return x, nil
}

// Len returns the number of objects.
func (x *Index) Len() int64 { return x.count }

// ID returns the i-th object in the order of IDs.
func (x *Index) ID(i int64) (oid.ID, error) {
	var id oid.ID
	if _, err := x.r.ReadAt(id[:], namesStart+i*oid.Size); err != nil {
		return oid.Zero, fmt.Errorf("read the index: %w", err)
	}
	return id, nil
}

// IDs returns all objects in the order of IDs.
func (x *Index) IDs() ([]oid.ID, error) {
	all := make([]oid.ID, x.count)
	r := bufio.NewReaderSize(io.NewSectionReader(x.r, namesStart, x.count*oid.Size), 64<<10)
	for i := range all {
		if _, err := io.ReadFull(r, all[i][:]); err != nil {
			return nil, fmt.Errorf("read the index: %w", err)
		}
	}
	return all, nil
}

// Offset returns where the i-th object is in the pack.
func (x *Index) Offset(i int64) (int64, error) {
	offsets := namesStart + x.count*(oid.Size+4)
	var b [8]byte
	if _, err := x.r.ReadAt(b[:4], offsets+i*4); err != nil {
		return 0, fmt.Errorf("read the index: %w", err)
	}
	n := binary.BigEndian.Uint32(b[:4])
	if n < largeOffset {
		return int64(n), nil
	}
	if _, err := x.r.ReadAt(b[:], offsets+x.count*4+int64(n-largeOffset)*8); err != nil {
		return 0, fmt.Errorf("read the index: %w", err)
	}
	return int64(binary.BigEndian.Uint64(b[:])), nil
}

// nearby is how many IDs are read around the place where one is expected. IDs are spread
// evenly, so among the n of one first byte the guess is off by about the root of n; where
// somebody made them otherwise, what is left is halved.
const nearby = 128

var windows = sync.Pool{New: func() any { return new([nearby * oid.Size]byte) }}

// names returns the IDs of some objects after one another.
func (x *Index) names(buf []byte, from, to int64) ([]byte, error) {
	if x.b != nil {
		return x.b[namesStart+from*oid.Size : namesStart+to*oid.Size], nil
	}
	buf = buf[:(to-from)*oid.Size]
	if _, err := x.r.ReadAt(buf, namesStart+from*oid.Size); err != nil {
		return nil, fmt.Errorf("read the index: %w", err)
	}
	return buf, nil
}

// Find returns where an object is in the pack, and false where it is not there. It
// mostly takes one read, and one more for the offset.
func (x *Index) Find(id oid.ID) (offset int64, ok bool, err error) {
	low, high := int64(0), int64(x.fan[id[0]])
	if id[0] > 0 {
		low = int64(x.fan[id[0]-1])
	}
	window := windows.Get().(*[nearby * oid.Size]byte)
	defer windows.Put(window)
	for guess := expect(id, low, high); low < high; guess = (low + high) / 2 {
		from := max(low, guess-nearby/2)
		to := min(high, from+nearby)
		ids, err := x.names(window[:], from, to)
		if err != nil {
			return 0, false, err
		}
		at := sort.Search(int(to-from), func(i int) bool { return bytes.Compare(ids[i*oid.Size:(i+1)*oid.Size], id[:]) >= 0 })
		switch i := from + int64(at); {
		case at == 0 && from > low && !bytes.Equal(ids[:oid.Size], id[:]):
			high = from
		case i == to:
			low = to
		case bytes.Equal(ids[at*oid.Size:(at+1)*oid.Size], id[:]):
			offset, err = x.Offset(i)
			return offset, err == nil, err
		default:
			return 0, false, nil
		}
	}
	return 0, false, nil
}

// expect guesses the place of an ID among those of the same first byte.
func expect(id oid.ID, low, high int64) int64 {
	return low + int64(uint64(high-low)*uint64(binary.BigEndian.Uint32(id[1:]))>>32)
}

// sum returns the CRC-32 of what the i-th object is in the pack.
func (x *Index) sum(i int64) (uint32, error) {
	var b [4]byte
	if _, err := x.r.ReadAt(b[:], namesStart+x.count*oid.Size+i*4); err != nil {
		return 0, fmt.Errorf("read the index: %w", err)
	}
	return binary.BigEndian.Uint32(b[:]), nil
}

// offsets returns where the objects are in the pack, in the order of their IDs.
func (x *Index) offsets() ([]int64, error) {
	table := make([]byte, x.count*4)
	start := namesStart + x.count*(oid.Size+4)
	if _, err := x.r.ReadAt(table, start); err != nil {
		return nil, fmt.Errorf("read the index: %w", err)
	}
	all := make([]int64, x.count)
	for i := range all {
		n := binary.BigEndian.Uint32(table[i*4:])
		if all[i] = int64(n); n < largeOffset {
			continue
		}
		var err error
		if all[i], err = x.Offset(int64(i)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// at returns the ID of the object at an offset. It looks at all of them.
func (x *Index) at(offset int64) (oid.ID, error) {
	for i := range x.count {
		o, err := x.Offset(i)
		if err != nil {
			return oid.Zero, err
		}
		if o == offset {
			return x.ID(i)
		}
	}
	return oid.Zero, fmt.Errorf("%w: the index has no object at %d", ErrSyntax, offset)
}
