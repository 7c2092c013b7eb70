package pktline

import (
	"errors"
	"io"
)

// ErrTooLong is returned by a Writer for a payload over [MaxPayload] bytes.
var ErrTooLong = errors.New("pkt-line payload longer than 65516 bytes")

// The packets without a payload.
const (
	flushText       = "0000"
	delimText       = "0001"
	responseEndText = "0002"
)

// Writer writes packets, each with a single Write of its destination. Not safe
// for concurrent use.
type Writer struct {
	dst io.Writer
	buf []byte // the packet being made; reused
}

// NewWriter returns a Writer to dst.
func NewWriter(dst io.Writer) *Writer { return &Writer{dst: dst} }

// Data writes a data packet with the payload.
func (w *Writer) Data(payload []byte) error {
	if len(payload) > MaxPayload {
		return ErrTooLong
	}
	w.buf = Append(w.buf[:0], payload)
	return w.write()
}

// Line writes a data packet with the text and a newline.
func (w *Writer) Line(text string) error {
	if len(text)+1 > MaxPayload {
		return ErrTooLong
	}
	w.buf = append(Begin(w.buf[:0]), text...)
	w.buf = End(append(w.buf, '\n'), 0)
	return w.write()
}

// Flush writes a flush packet. It does not flush the destination.
func (w *Writer) Flush() error { return w.special(flushText) }

// Delim writes a delimiter packet.
func (w *Writer) Delim() error { return w.special(delimText) }

// ResponseEnd writes a response-end packet.
func (w *Writer) ResponseEnd() error { return w.special(responseEndText) }

func (w *Writer) special(text string) error {
	w.buf = append(w.buf[:0], text...)
	return w.write()
}

func (w *Writer) write() error {
	_, err := w.dst.Write(w.buf)
	return err
}

// Append appends a data packet with the payload, of at most [MaxPayload] bytes, to b.
func Append[T string | []byte](b []byte, payload T) []byte {
	start := len(b)
	return End(append(Begin(b), payload...), start)
}

// AppendFlush appends a flush packet to b.
func AppendFlush(b []byte) []byte { return append(b, flushText...) }

// AppendDelim appends a delimiter packet to b.
func AppendDelim(b []byte) []byte { return append(b, delimText...) }

// Begin appends the place for the head of a data packet to b. The caller appends the
// payload and calls [End] with what len(b) was, so that a packet is made where it
// will be sent from.
func Begin(b []byte) []byte { return append(b, flushText...) }

// End fills in the length of the packet that begins at start and ends with b. It
// panics when the packet is longer than [MaxLen]: the caller made it.
func End(b []byte, start int) []byte {
	const digits = "0123456789abcdef"
	n := len(b) - start
	if n > MaxLen || n < headSize {
		panic("pktline: packet length out of range")
	}
	b[start], b[start+1], b[start+2], b[start+3] = digits[n>>12&15], digits[n>>8&15], digits[n>>4&15], digits[n&15]
	return b
}
