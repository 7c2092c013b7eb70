package pack

import (
	"bufio"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

// Stored is an object as it stands in a pack.
type Stored struct {
	Type object.Type // of one that is no delta
	Size int64       // of the object, or of the delta, unpacked
	Data []byte      // compressed

	Delta      bool
	BaseID     oid.ID // of a delta that names its base, else zero
	BaseOffset int64  // of one that says where it is
}

func (e entry) stored(data []byte) Stored {
	s := Stored{Size: e.size, Data: data}
	switch e.kind {
	case offsetDelta:
		s.Delta, s.BaseOffset = true, e.base
	case refDelta:
		s.Delta, s.BaseID = true, e.baseID
	default:
		s.Type = object.Type(e.kind)
	}
	return s
}

// Stored reads what stands at an offset, with at most limit bytes, unpacked ([ErrBeyond]),
// and checks that it can be unpacked.
func (f *File) Stored(offset, limit int64) (Stored, error) {
	raw := &recorder{}
	e, _, err := f.unpack(offset, limit, raw)
	if err != nil {
		return Stored{}, err
	}
	return e.stored(raw.data), nil
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
