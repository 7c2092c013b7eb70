package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ApplyDelta returns what a delta makes of its base (gitformat-pack(5), "Deltified
// representation"): at most limit bytes, or [ErrBeyond]. The delta has to be about a base
// of just this length, copy only what is in it, and make just as much as it says.
func ApplyDelta(base, delta []byte, limit int64) ([]byte, error) {
	from, delta, ok := deltaSize(delta)
	if !ok || from != uint64(len(base)) {
		return nil, fmt.Errorf("%w: the delta is about another base", ErrSyntax)
	}
	size, delta, ok := deltaSize(delta)
	if !ok {
		return nil, badDelta()
	}
	if size > uint64(max(limit, 0)) {
		return nil, fmt.Errorf("%w: a delta makes %d bytes", ErrBeyond, size)
	}
	out := make([]byte, 0, size)
	for len(delta) > 0 {
		op := delta[0]
		delta = delta[1:]
		var part []byte
		switch {
		case op&0x80 != 0:
			var at, n uint32
			if at, n, delta, ok = copyRange(op, delta); !ok || uint64(at)+uint64(n) > uint64(len(base)) {
				return nil, badDelta()
			}
			part = base[at : at+n]
		case op != 0 && int(op) <= len(delta):
			part, delta = delta[:op], delta[op:]
		default: // zero is reserved
			return nil, badDelta()
		}
		if uint64(len(out)+len(part)) > size {
			return nil, badDelta()
		}
		out = append(out, part...)
	}
	if uint64(len(out)) != size {
		return nil, badDelta()
	}
	return out, nil
}

func badDelta() error { return fmt.Errorf("%w: an instruction of a delta", ErrSyntax) }

// deltaSize reads one of the two lengths that a delta begins with.
func deltaSize(delta []byte) (size uint64, rest []byte, ok bool) {
	size, n := binary.Uvarint(delta)
	if n <= 0 {
		return 0, nil, false
	}
	return size, delta[n:], true
}

// resultSize reads from the beginning of a delta how long what it makes is.
func resultSize(r io.Reader) (int64, error) {
	var b [2 * binary.MaxVarintLen64]byte
	n, err := io.ReadFull(r, b[:]) // it may end early: what came is right
	_, rest, ok := deltaSize(b[:n])
	if ok {
		var size uint64
		if size, _, ok = deltaSize(rest); ok && size <= 1<<62 {
			return int64(size), nil
		}
	}
	return 0, errors.Join(errors.New("no length of a result"), err)
}

// copyRange reads the operands of a copy: four bits say which bytes of the offset follow,
// three which of the length. No length is 64 KiB.
func copyRange(op byte, delta []byte) (at, n uint32, rest []byte, ok bool) {
	var bytes [7]byte
	for i := range bytes {
		if op&(1<<i) == 0 {
			continue
		}
		if len(delta) == 0 {
			return 0, 0, nil, false
		}
		bytes[i], delta = delta[0], delta[1:]
	}
	at = binary.LittleEndian.Uint32(bytes[:4])
	n = uint32(bytes[4]) | uint32(bytes[5])<<8 | uint32(bytes[6])<<16
	if n == 0 {
		n = 0x10000
	}
	return at, n, delta, true
}
