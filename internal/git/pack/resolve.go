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
	"github.com/refward/refward/internal/git/oid"
)

// ErrBeyond is returned, wrapped, for an object that takes more to read than is allowed.
var ErrBeyond = errors.New("beyond what is read here")

// maxResolved bounds the chain of deltas of an object that is read: git makes them no
// longer than 50, or 4,095 where somebody asks for it.
const maxResolved = 64

// Resolve returns type and content of the object at an offset, following deltas. Every
// byte that is unpacked or made on the way is taken from the budget, before it is there:
// where that does not suffice, or the chain is long, [ErrBeyond].
func (f *File) Resolve(offset int64, budget *int64) (object.Type, []byte, error) {
	var deltas [][]byte
	for range maxResolved {
		e, content, err := f.unpack(offset, *budget, nil)
		if err != nil {
			return 0, nil, err
		}
		*budget -= e.size
		switch e.kind {
		case offsetDelta:
			offset = e.base
		case refDelta:
			if offset, err = f.baseOffset(e.baseID); err != nil {
				return 0, nil, err
			}
		default:
			for _, delta := range slices.Backward(deltas) {
				if content, err = ApplyDelta(content, delta, *budget); err != nil {
					return 0, nil, err
				}
				*budget -= int64(len(content))
			}
			return object.Type(e.kind), content, nil
		}
		deltas = append(deltas, content)
	}
	return 0, nil, fmt.Errorf("%w: a chain of more than %d deltas", ErrBeyond, maxResolved)
}

func (f *File) baseOffset(id oid.ID) (int64, error) {
	offset, ok, err := f.Index.Find(id)
	if err == nil && !ok {
		err = fmt.Errorf("%w: the base %s is not in the pack", ErrSyntax, id)
	}
	return offset, err
}

// Stored is an object as it stands in a pack.
type Stored struct {
	Type object.Type // of one that is no delta
	Size int64       // of the object, or of the delta, unpacked
	Data []byte      // compressed

	Delta      bool
	BaseID     oid.ID // of a delta that names its base, else zero
	BaseOffset int64  // of one that says where it is
}

// Stored reads what stands at an offset, with at most limit bytes, unpacked ([ErrBeyond]),
// and checks that it can be unpacked.
func (f *File) Stored(offset, limit int64) (Stored, error) {
	raw := &recorder{}
	e, _, err := f.unpack(offset, limit, raw)
	if err != nil {
		return Stored{}, err
	}
	s := Stored{Size: e.size, Data: raw.data}
	switch e.kind {
	case offsetDelta:
		s.Delta, s.BaseOffset = true, e.base
	case refDelta:
		s.Delta, s.BaseID = true, e.baseID
	default:
		s.Type = object.Type(e.kind)
	}
	return s, nil
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
	u.src.Reset(io.NewSectionReader(f.pack, offset, f.size-offset))
	head, err := u.src.Peek(maxEntryHead)
	if err != nil && !errors.Is(err, io.EOF) {
		return entry{}, nil, fmt.Errorf("read the pack: %w", err)
	}
	e, err := parseEntry(head, offset)
	if err != nil {
		return entry{}, nil, err
	}
	if e.size > limit {
		return entry{}, nil, fmt.Errorf("%w: %d bytes at %d", ErrBeyond, e.size, offset)
	}
	if _, err := u.src.Discard(int(e.data - offset)); err != nil {
		return entry{}, nil, badEntry(offset)
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

// recorder keeps what is read through it. Being an [io.ByteReader], it is not read beyond
// the end of the compressed data.
type recorder struct {
	src  *bufio.Reader
	data []byte
}

// ReadByte implements [io.ByteReader].
func (r *recorder) ReadByte() (byte, error) {
	c, err := r.src.ReadByte()
	if err == nil {
		r.data = append(r.data, c)
	}
	return c, err
}

// Read implements [io.Reader].
func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.src.Read(p)
	r.data = append(r.data, p[:n]...)
	return n, err
}
