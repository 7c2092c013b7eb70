package pack

import (
	"bufio"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/refward/refward/internal/git/object"
)

// ErrBeyond is returned, wrapped, for an object that takes more to read than is allowed.
var ErrBeyond = errors.New("beyond what is read here")

// maxResolved bounds the chain of deltas of an object that is read: git makes them no
// longer than 50, or 4,095 where somebody asks for it.
const maxResolved = 64

// Resolver reads objects of one pack through their deltas, and remembers what it made:
// the objects that are read together are often made of one another. Not safe for
// concurrent use.
type Resolver struct {
	file   *File
	budget *int64
	made   map[int64]made // by offset
}

// made is an object that was read.
type made struct {
	typ     object.Type
	content []byte
}

// NewResolver returns a reader with a budget. Every byte that is unpacked or made is
// taken from it, before it is there, and so bounds what is remembered.
func NewResolver(f *File, budget *int64) *Resolver {
	return &Resolver{file: f, budget: budget, made: map[int64]made{}}
}

// delta is a delta on the way to its base.
type delta struct {
	offset int64
	data   []byte
}

// Resolve returns type and content of the object at an offset. Where the budget does not
// suffice, or the chain of deltas is long: [ErrBeyond]. The content must not be changed.
func (r *Resolver) Resolve(offset int64) (object.Type, []byte, error) {
	var deltas []delta
	for range maxResolved {
		if m, ok := r.made[offset]; ok {
			return r.apply(m, deltas)
		}
		e, content, err := r.file.unpack(offset, *r.budget, nil)
		if err != nil {
			return 0, nil, err
		}
		*r.budget -= e.size
		if !isDelta(e.kind) {
			m := made{object.Type(e.kind), content}
			r.made[offset] = m
			return r.apply(m, deltas)
		}
		deltas = append(deltas, delta{offset, content})
		if offset, err = r.file.baseOffset(e); err != nil {
			return 0, nil, err
		}
	}
	return 0, nil, fmt.Errorf("%w: a chain of more than %d deltas", ErrBeyond, maxResolved)
}

// apply makes what a chain of deltas, the last first, makes of an object.
func (r *Resolver) apply(m made, deltas []delta) (object.Type, []byte, error) {
	for _, d := range slices.Backward(deltas) {
		content, err := ApplyDelta(m.content, d.data, *r.budget)
		if err != nil {
			return 0, nil, err
		}
		*r.budget -= int64(len(content))
		m.content = content
		r.made[d.offset] = m
	}
	return m.typ, m.content, nil
}

// baseOffset returns where the base of a delta is.
func (f *File) baseOffset(e entry) (int64, error) {
	if e.kind == offsetDelta {
		return e.base, nil
	}
	offset, ok, err := f.Index.Find(e.baseID)
	if err == nil && !ok {
		err = fmt.Errorf("%w: the base %s is not in the pack", ErrSyntax, e.baseID)
	}
	return offset, err
}

// unpacker is what reading one entry needs. Its buffer holds most entries whole.
type unpacker struct {
	src *bufio.Reader
	z   io.ReadCloser // nil before the first use
}

var unpackers = sync.Pool{New: func() any { return &unpacker{src: bufio.NewReaderSize(nil, 4<<10)} }}

// unpack reads the entry at an offset, the delta of one that is a delta. The compressed
// bytes go to raw where it is not nil.
func (f *File) unpack(offset, limit int64, raw *recorder) (entry, []byte, error) {
	u := unpackers.Get().(*unpacker)
	defer unpackers.Put(u)
	e, err := u.open(f, offset)
	if err != nil {
		return entry{}, nil, err
	}
	if e.size > limit {
		return entry{}, nil, fmt.Errorf("%w: %d bytes at %d", ErrBeyond, e.size, offset)
	}
	var src io.Reader = u.src
	if raw != nil {
		raw.src = u.src
		src = raw
	}
	content, err := u.inflate(src, e.size)
	if err != nil {
		return entry{}, nil, fmt.Errorf("%w: the object at %d: %w", ErrSyntax, offset, err)
	}
	return e, content, nil
}

// open reads the head of the entry at an offset. The compressed bytes are next.
func (u *unpacker) open(f *File, offset int64) (entry, error) {
	u.src.Reset(io.NewSectionReader(f.pack, offset, f.size-offset))
	head, err := u.src.Peek(maxEntryHead)
	if err != nil && !errors.Is(err, io.EOF) {
		return entry{}, fmt.Errorf("read the pack: %w", err)
	}
	e, err := parseEntry(head, offset)
	if err != nil {
		return entry{}, err
	}
	if _, err := u.src.Discard(int(e.data - offset)); err != nil {
		return entry{}, badEntry(offset)
	}
	return e, nil
}

// begin begins to unpack.
func (u *unpacker) begin(src io.Reader) (err error) {
	if u.z != nil {
		return u.z.(zlib.Resetter).Reset(src, nil)
	}
	u.z, err = zlib.NewReader(src)
	return err
}

// inflate unpacks what has to be just so many bytes with a right checksum.
func (u *unpacker) inflate(src io.Reader, size int64) (content []byte, err error) {
	if err := u.begin(src); err != nil {
		return nil, err
	}
	content = make([]byte, size)
	if _, err := io.ReadFull(u.z, content); err != nil {
		return nil, err
	}
	var more [1]byte
	if n, err := u.z.Read(more[:]); n > 0 || !errors.Is(err, io.EOF) {
		return nil, errors.Join(errors.New("more than its head says"), err)
	}
	return content, nil
}
