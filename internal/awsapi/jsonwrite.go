package awsapi

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"time"
	"unicode/utf8"

	smithy "github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"
)

// encode returns an operation's output as awsJson1.1 has it.
func (c *jsonCodec) encode(out any) ([]byte, error) {
	serializable, ok := out.(smithy.Serializable)
	if !ok {
		return nil, fmt.Errorf("awsJson1.1: %T cannot serialize itself", out)
	}
	w := jsonWriter{buf: make([]byte, 0, 512)}
	serializable.Serialize(&w)
	return w.buf, w.err
}

// jsonWriter is the smithy.ShapeSerializer of awsJson1.1. The SDK's structs drive it:
// WriteStruct, each member, CloseStruct, and so on. A member's schema gives its key.
type jsonWriter struct {
	buf  []byte
	open []container
	root *smithy.Schema // of the outermost structure
	err  error          // the first thing that JSON or this writer cannot hold
}

var _ smithy.ShapeSerializer = (*jsonWriter)(nil)

// container is a structure, list or map that is being written.
type container struct {
	kind containerKind
	full bool // it has an element, so that a comma comes before the next
}

type containerKind uint8

const (
	inStruct containerKind = iota
	inList
	inMap
)

// begin writes what comes before a value: a comma, a key.
func (w *jsonWriter) begin(schema *smithy.Schema) {
	if len(w.open) == 0 {
		return
	}
	top := &w.open[len(w.open)-1]
	switch top.kind {
	case inStruct:
		w.comma(top)
		w.buf = appendJSONString(w.buf, schema.MemberName())
		w.buf = append(w.buf, ':')
	case inList:
		w.comma(top)
	case inMap: // WriteKey did it
	}
}

func (w *jsonWriter) comma(c *container) {
	if c.full {
		w.buf = append(w.buf, ',')
	}
	c.full = true
}

func (w *jsonWriter) enter(schema *smithy.Schema, kind containerKind, bracket byte) {
	w.begin(schema)
	w.buf = append(w.buf, bracket)
	w.open = append(w.open, container{kind: kind})
}

func (w *jsonWriter) leave(bracket byte) {
	w.buf = append(w.buf, bracket)
	w.open = w.open[:len(w.open)-1]
}

func (w *jsonWriter) refuse(schema *smithy.Schema, what string) {
	w.begin(schema)
	w.buf = append(w.buf, "null"...)
	w.err = errors.Join(w.err, fmt.Errorf("awsJson1.1: no way to write %s", what))
}

// Bytes implements [smithy.ShapeSerializer].
func (w *jsonWriter) Bytes() []byte { return w.buf }

// WriteStruct implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteStruct(s *smithy.Schema) {
	if w.root == nil {
		w.root = s
	}
	w.enter(s, inStruct, '{')
}

// CloseStruct implements [smithy.ShapeSerializer].
func (w *jsonWriter) CloseStruct() { w.leave('}') }

// WriteList implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteList(s *smithy.Schema) { w.enter(s, inList, '[') }

// CloseList implements [smithy.ShapeSerializer].
func (w *jsonWriter) CloseList() { w.leave(']') }

// WriteMap implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteMap(s *smithy.Schema) { w.enter(s, inMap, '{') }

// WriteKey implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteKey(_ *smithy.Schema, key string) {
	w.comma(&w.open[len(w.open)-1])
	w.buf = appendJSONString(w.buf, key)
	w.buf = append(w.buf, ':')
}

// CloseMap implements [smithy.ShapeSerializer].
func (w *jsonWriter) CloseMap() { w.leave('}') }

// WriteUnion implements [smithy.ShapeSerializer]: an object with the one member.
func (w *jsonWriter) WriteUnion(s, variant *smithy.Schema) {
	w.enter(s, inMap, '{')
	w.WriteKey(nil, variant.MemberName())
}

// CloseUnion implements [smithy.ShapeSerializer].
func (w *jsonWriter) CloseUnion() { w.leave('}') }

// WriteString implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteString(s *smithy.Schema, v string) {
	w.begin(s)
	w.buf = appendJSONString(w.buf, v)
}

// WriteBool implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteBool(s *smithy.Schema, v bool) {
	w.begin(s)
	w.buf = strconv.AppendBool(w.buf, v)
}

// WriteNil implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteNil(s *smithy.Schema) {
	w.begin(s)
	w.buf = append(w.buf, "null"...)
}

// WriteBlob implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteBlob(s *smithy.Schema, v []byte) {
	w.begin(s)
	w.buf = append(w.buf, '"')
	w.buf = base64.StdEncoding.AppendEncode(w.buf, v)
	w.buf = append(w.buf, '"')
}

// WriteTime implements [smithy.ShapeSerializer]: epoch seconds to the millisecond.
func (w *jsonWriter) WriteTime(s *smithy.Schema, v time.Time) {
	w.begin(s)
	if ms := v.UnixMilli(); ms%1000 == 0 {
		w.buf = strconv.AppendInt(w.buf, ms/1000, 10)
	} else {
		w.buf = strconv.AppendFloat(w.buf, float64(ms)/1000, 'f', 3, 64)
	}
}

// WriteInt8 implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteInt8(s *smithy.Schema, v int8) { w.WriteInt64(s, int64(v)) }

// WriteInt16 implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteInt16(s *smithy.Schema, v int16) { w.WriteInt64(s, int64(v)) }

// WriteInt32 implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteInt32(s *smithy.Schema, v int32) { w.WriteInt64(s, int64(v)) }

// WriteInt64 implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteInt64(s *smithy.Schema, v int64) {
	w.begin(s)
	w.buf = strconv.AppendInt(w.buf, v, 10)
}

// WriteFloat32 implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteFloat32(s *smithy.Schema, v float32) { w.float(s, float64(v), 32) }

// WriteFloat64 implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteFloat64(s *smithy.Schema, v float64) { w.float(s, v, 64) }

func (w *jsonWriter) float(s *smithy.Schema, v float64, bits int) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		w.refuse(s, "a number that is not finite")
		return
	}
	w.begin(s)
	w.buf = strconv.AppendFloat(w.buf, v, 'g', -1, bits)
}

// WriteBigInt implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteBigInt(s *smithy.Schema, v *big.Int) {
	w.begin(s)
	w.buf = v.Append(w.buf, 10)
}

// WriteBigFloat implements [smithy.ShapeSerializer].
func (w *jsonWriter) WriteBigFloat(s *smithy.Schema, v *big.Float) {
	if v.IsInf() {
		w.refuse(s, "a number that is not finite")
		return
	}
	w.begin(s)
	w.buf = v.Append(w.buf, 'g', -1)
}

// WriteDocument implements [smithy.ShapeSerializer]. No shape of CodeCommit holds a
// document; one that did would be an error here, not a wrong answer.
func (w *jsonWriter) WriteDocument(s *smithy.Schema, v document.Value) {
	w.refuse(s, fmt.Sprintf("a document (%T)", v))
}

// appendJSONString appends s quoted. Bytes that are not UTF-8, as Git allows them in
// names and messages, become U+FFFD.
func appendJSONString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			if c == '"' || c == '\\' {
				dst = append(dst, '\\', c)
			} else {
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\uFFFD"...)
			start = i + n
		}
		i += n
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
