package pack

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"fmt"

	"github.com/refward/refward/internal/git/object"
)

// Encode returns a pack of these objects, each once and none as a delta.
func Encode(objects []object.Raw) ([]byte, error) {
	var b bytes.Buffer
	b.Write(AppendHeader(nil, uint32(len(objects))))
	z := zlib.NewWriter(&b)
	for _, o := range objects {
		b.Write(entryHeader(o.Type, len(o.Content)))
		z.Reset(&b)
		if _, err := z.Write(o.Content); err != nil {
			return nil, fmt.Errorf("compress an object: %w", err)
		}
		if err := z.Close(); err != nil {
			return nil, fmt.Errorf("compress an object: %w", err)
		}
	}
	sum := sha1.Sum(b.Bytes())
	b.Write(sum[:])
	return b.Bytes(), nil
}

// AppendHeader appends the [HeaderSize] bytes that a pack of so many objects begins with.
func AppendHeader(b []byte, objects uint32) []byte {
	b = append(b, signature...)
	b = binary.BigEndian.AppendUint32(b, version)
	return binary.BigEndian.AppendUint32(b, objects)
}

// entryHeader is three bits of type and the size in base 128, the lowest four bits
// beside the type.
func entryHeader(t object.Type, size int) []byte {
	first := byte(t)<<4 | byte(size&0x0f)
	rest := uint64(size) >> 4
	if rest == 0 {
		return []byte{first}
	}
	return binary.AppendUvarint([]byte{first | 0x80}, rest)
}
