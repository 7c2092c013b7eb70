package pack

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/refward/refward/internal/git/oid"
)

// Order knows the objects of a pack in the order in which they stand there.
type Order struct {
	file    *File
	offsets []int64 // ascending
	places  []int64 // in the index, of the same objects
}

// Order reads the index whole.
func (f *File) Order() (*Order, error) {
	offsets, err := f.Index.offsets()
	if err != nil {
		return nil, err
	}
	o := &Order{file: f, offsets: make([]int64, len(offsets)), places: make([]int64, len(offsets))}
	for i := range o.places {
		o.places[i] = int64(i)
	}
	slices.SortFunc(o.places, func(a, b int64) int { return cmp.Compare(offsets[a], offsets[b]) })
	for i, place := range o.places {
		o.offsets[i] = offsets[place]
	}
	return o, nil
}

// place returns the place of an offset in the order.
func (o *Order) place(offset int64) (int, error) {
	i, ok := slices.BinarySearch(o.offsets, offset)
	if !ok {
		return 0, fmt.Errorf("%w: the index has no object at %d", ErrSyntax, offset)
	}
	return i, nil
}

// ID returns the object at an offset.
func (o *Order) ID(offset int64) (oid.ID, error) {
	i, err := o.place(offset)
	if err != nil {
		return oid.Zero, err
	}
	return o.file.Index.ID(o.places[i])
}

// Stored reads what stands at an offset, of at most limit bytes there ([ErrBeyond]), and
// checks it by its sum in the index, without unpacking it.
func (o *Order) Stored(offset, limit int64) (Stored, error) {
	i, err := o.place(offset)
	if err != nil {
		return Stored{}, err
	}
	end := o.file.size - TrailerSize
	if i+1 < len(o.offsets) {
		end = o.offsets[i+1]
	}
	if end-offset > limit {
		return Stored{}, fmt.Errorf("%w: %d bytes at %d", ErrBeyond, end-offset, offset)
	}
	raw := make([]byte, max(end-offset, 0))
	if _, err := o.file.pack.ReadAt(raw, offset); err != nil {
		return Stored{}, fmt.Errorf("read the pack: %w", err)
	}
	want, err := o.file.Index.sum(o.places[i])
	if err != nil {
		return Stored{}, err
	}
	e, err := parseEntry(raw, offset)
	if err != nil {
		return Stored{}, err
	}
	if crc32.ChecksumIEEE(raw) != want || e.data > end {
		return Stored{}, fmt.Errorf("%w: the object at %d is not the one that the index tells of", ErrSyntax, offset)
	}
	return e.stored(raw[e.data-offset:]), nil
}
