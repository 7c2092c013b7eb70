package pack

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

// Limits are the largest sizes that objects may have, unpacked, by type. Zero is no
// limit.
type Limits struct{ Commit, Tree, Blob, Tag int64 }

func (l Limits) of(t object.Type) int64 {
	switch t {
	case object.Commit:
		return l.Commit
	case object.Tree:
		return l.Tree
	case object.Blob:
		return l.Blob
	case object.Tag:
		return l.Tag
	}
	return 0
}

// least is the smallest limit: no object of at most that size is over its own.
func (l Limits) least() int64 {
	least := int64(math.MaxInt64)
	for _, n := range []int64{l.Commit, l.Tree, l.Blob, l.Tag} {
		if n > 0 {
			least = min(least, n)
		}
	}
	return least
}

// Oversized is an object that is over its limit.
type Oversized struct {
	ID          oid.ID
	Type        object.Type
	Size, Limit int64
}

// maxOrdered bounds the objects of a pack that [File.FindOversized] holds a list of:
// 13 bytes each.
const maxOrdered = 8 << 20

// FindOversized returns an object that is over its limit, or nil.
//
// The size of a delta's result stands in the delta, compressed. It is looked for only
// where it can matter: a delta of n bytes cannot make more of its base than [grown]
// says, and for most deltas that is less than what is allowed.
func (f *File) FindOversized(l Limits) (*Oversized, error) {
	if f.Index.Len() > maxOrdered {
		return f.findEach(l)
	}
	offsets, err := f.Index.offsets()
	if err != nil {
		return nil, err
	}
	slices.Sort(offsets)
	w := &walk{file: f, offsets: offsets, most: make([]int64, len(offsets)), types: make([]object.Type, len(offsets))}
	w.window.r, w.window.size = f.pack, f.size
	for i := range offsets {
		if over, err := w.step(i, l); over || err != nil {
			if err != nil {
				return nil, err
			}
			return f.oversized(offsets[i], l)
		}
	}
	return nil, nil
}

// findEach looks at each object by itself, in the order of the index. It holds nothing,
// and finds the type of an object, however far away its base is, only where the size
// matters: to make one so large cost its sender and git more than that.
func (f *File) findEach(l Limits) (*Oversized, error) {
	for i := range f.Index.Len() {
		offset, err := f.Index.Offset(i)
		if err != nil {
			return nil, err
		}
		if o, err := f.oversized(offset, l); o != nil || err != nil {
			return o, err
		}
	}
	return nil, nil
}

// oversized says what is over its limit at an offset, or returns nil where nothing is.
func (f *File) oversized(offset int64, l Limits) (*Oversized, error) {
	size, err := f.Size(offset)
	if err != nil {
		return nil, err
	}
	if size <= l.least() {
		return nil, nil
	}
	t, err := f.Type(offset)
	if err != nil {
		return nil, err
	}
	if limit := l.of(t); limit == 0 || size <= limit {
		return nil, nil
	}
	id, err := f.Index.at(offset)
	return &Oversized{ID: id, Type: t, Size: size, Limit: l.of(t)}, err
}

// walk goes through a pack in the order of its bytes, in which a delta comes after its
// base unless it names it by its ID.
type walk struct {
	file     *File
	offsets  []int64 // sorted
	most     []int64 // of each object before the present one: its size, or more
	types    []object.Type
	window   window
	source   bytes.Reader
	unpacker unpacker // of source
}

// step finds the type and the most that the i-th object can have, and reports whether
// it is over its limit.
func (w *walk) step(i int, l Limits) (over bool, err error) {
	offset := w.offsets[i]
	head, err := w.window.at(offset)
	if err != nil {
		return false, err
	}
	e, err := parseEntry(head, offset)
	if err != nil {
		return false, err
	}
	switch e.kind {
	case refDelta: // seldom: what completes a thin pack comes last
		if w.types[i], err = w.named(e); err == nil {
			w.most[i], err = w.result(offset, head[e.data-offset:])
		}
	case offsetDelta:
		base, ok := w.before(i, e.base)
		if !ok {
			return false, fmt.Errorf("%w: no object at %d, where the base of the one at %d is to be", ErrSyntax, e.base, offset)
		}
		w.types[i], w.most[i] = w.types[base], grown(w.most[base], e.size)
		if limit := l.of(w.types[i]); limit > 0 && w.most[i] > limit {
			w.most[i], err = w.result(offset, head[e.data-offset:])
		}
	default:
		w.types[i], w.most[i] = object.Type(e.kind), e.size
	}
	limit := l.of(w.types[i])
	return limit > 0 && w.most[i] > limit, err
}

// named finds the type of a delta whose base is named by its ID, and so may come after
// it. The types on the way there are kept: whoever makes a pack may hang all of its
// objects one on the other, and to go all the way for each of them would take hours.
func (w *walk) named(e entry) (object.Type, error) {
	var way []int
	for len(way) <= len(w.offsets) {
		i, err := w.base(e)
		if err != nil {
			return 0, err
		}
		t := w.types[i]
		if t == 0 {
			way = append(way, i)
			if e, err = w.file.entry(w.offsets[i]); err != nil {
				return 0, err
			}
			if isDelta(e.kind) {
				continue
			}
			t = object.Type(e.kind)
		}
		for _, j := range way {
			w.types[j] = t
		}
		return t, nil
	}
	return 0, fmt.Errorf("%w: deltas that are each other's bases", ErrSyntax)
}

// base returns the place of a delta's base.
func (w *walk) base(e entry) (int, error) {
	offset := e.base
	if e.kind == refDelta {
		var ok bool
		var err error
		if offset, ok, err = w.file.Index.Find(e.baseID); err != nil {
			return 0, err
		} else if !ok {
			return 0, fmt.Errorf("%w: the base %s is not in the pack", ErrSyntax, e.baseID)
		}
	}
	i, ok := slices.BinarySearch(w.offsets, offset)
	if !ok {
		return 0, fmt.Errorf("%w: no object at %d, where a base is to be", ErrSyntax, offset)
	}
	return i, nil
}

// before returns the place of an offset among those before the i-th. Bases are near.
func (w *walk) before(i int, offset int64) (int, bool) {
	low := i
	for step := 1; low > 0 && w.offsets[low] > offset; step *= 2 {
		low = max(0, low-step)
	}
	at, ok := slices.BinarySearchFunc(w.offsets[low:i], offset, cmp.Compare[int64])
	return low + at, ok
}

// result reads the size of a delta's result from its compressed beginning. A few bytes
// of it are enough for nearly all; of more, the decompressor would make a whole window.
func (w *walk) result(offset int64, compressed []byte) (int64, error) {
	for _, part := range [][]byte{compressed[:min(len(compressed), beginning)], compressed} {
		if size, ok := w.peek(part); ok {
			return size, nil
		}
	}
	return w.file.Size(offset) // it goes on beyond the window, or is broken
}

// beginning is enough of a compressed delta for the tables of its code, mostly, and the
// twenty bytes that come first.
const beginning = 128

// peek reads the size of a delta's result, where it is in this part of the delta.
func (w *walk) peek(compressed []byte) (size int64, ok bool) {
	w.source.Reset(compressed)
	if w.unpacker.begin(&w.source) != nil {
		return 0, false
	}
	size, err := resultSize(w.unpacker.z)
	return size, err == nil
}

// Of what a delta can do, by gitformat-pack(5): one byte copies 64 KiB of the base, and
// two bytes up to 255 times as much.
const (
	byteCopies = 64 << 10
	wordCopies = 255 << 16
)

// grown is the most that a delta of so many bytes can make of a base of at most so
// many. It is no more than the largest number for any delta.
func grown(base, delta int64) int64 {
	perByte := min(base, wordCopies)/2 + 1
	if base >= byteCopies {
		perByte = max(perByte, byteCopies)
	}
	const large = 1 << 62
	if delta > large/(perByte+1) {
		return large
	}
	return delta * (perByte + 1) // it can also insert itself
}

// window is a part of a file that moves forward.
type window struct {
	r     io.ReaderAt
	size  int64
	buf   []byte
	start int64
}

const (
	windowSize = 256 << 10
	lookAhead  = 1 << 10 // what at returns at least, but at the end of the file
)

// at returns the bytes from an offset on, valid until the next call.
func (w *window) at(offset int64) ([]byte, error) {
	end := w.start + int64(len(w.buf))
	if offset >= w.start && (offset+lookAhead <= end || end == w.size && offset < end) {
		return w.buf[offset-w.start:], nil
	}
	if cap(w.buf) == 0 {
		w.buf = make([]byte, max(1, min(windowSize, w.size)))
	}
	n, err := w.r.ReadAt(w.buf[:cap(w.buf)], offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the pack: %w", err)
	}
	w.buf, w.start = w.buf[:n], offset
	return w.buf, nil
}
