package pktline

import (
	"errors"
	"fmt"
	"io"
)

// Limits of the format, in bytes.
const (
	MaxLen     = 65520             // of a whole packet
	MaxPayload = MaxLen - headSize // of what a data packet carries
	headSize   = 4
)

// ErrSyntax is wrapped by the error for a packet whose length is not one.
var ErrSyntax = errors.New("invalid pkt-line")

// Kind is the kind of a packet.
type Kind uint8

// The kinds. The zero Kind is none; it comes with an error.
const (
	Data        Kind = iota + 1
	Flush            // 0000
	Delim            // 0001
	ResponseEnd      // 0002
)

// String returns the name of the kind in Git's documentation.
func (k Kind) String() string {
	switch k {
	case Data:
		return "data packet"
	case Flush:
		return "flush packet"
	case Delim:
		return "delimiter packet"
	case ResponseEnd:
		return "response end packet"
	default:
		return "no packet"
	}
}

// Reader reads packets. It reads from its source exactly the packets that it
// returns, so that whoever needs what follows them (a pack) goes on reading the
// source. The source should be buffered. Not safe for concurrent use.
type Reader struct {
	src io.Reader
	buf []byte // head and payload; grows to the longest packet seen
}

// NewReader returns a Reader of src.
func NewReader(src io.Reader) *Reader { return &Reader{src: src, buf: make([]byte, 1024)} }

// Next reads one packet. The payload is valid until the next call. The error is
// [io.EOF] where the source ends between packets, [io.ErrUnexpectedEOF] where it
// ends inside one, and wraps [ErrSyntax] for a length that is none.
func (r *Reader) Next() (Kind, []byte, error) {
	head := r.buf[:headSize]
	if _, err := io.ReadFull(r.src, head); err != nil {
		return 0, nil, err
	}
	n, ok := parseLen(head)
	switch {
	case !ok, n == 3, n > MaxLen:
		return 0, nil, fmt.Errorf("%w: length %q", ErrSyntax, head)
	case n == 0:
		return Flush, nil, nil
	case n == 1:
		return Delim, nil, nil
	case n == 2:
		return ResponseEnd, nil, nil
	}
	n -= headSize
	if n > len(r.buf) {
		r.buf = make([]byte, n)
	}
	payload := r.buf[:n]
	if _, err := io.ReadFull(r.src, payload); err != nil {
		if errors.Is(err, io.EOF) { // the head was there, so the end is not between packets
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return Data, payload, nil
}

// NextLine is Next without one final newline of the payload, which the protocol
// makes optional everywhere.
func (r *Reader) NextLine() (Kind, []byte, error) {
	k, p, err := r.Next()
	if n := len(p); n > 0 && p[n-1] == '\n' {
		p = p[:n-1]
	}
	return k, p, err
}

// parseLen reads four hexadecimal digits of either case, as Git does.
func parseLen(head []byte) (n int, ok bool) {
	for _, c := range head {
		var d byte
		switch {
		case '0' <= c && c <= '9':
			d = c - '0'
		case 'a' <= c && c <= 'f':
			d = c - 'a' + 10
		case 'A' <= c && c <= 'F':
			d = c - 'A' + 10
		default:
			return 0, false
		}
		n = n<<4 | int(d)
	}
	return n, true
}
