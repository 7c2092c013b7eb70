package policy

import (
	"encoding/binary"
	"strings"
)

// This file compares text without regard to the case of ASCII letters, and looks at
// eight bytes at a time where that saves the most.

const (
	ones = 0x0101010101010101
	high = 0x80 * ones
)

func load8(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// lower8 is lower for eight bytes at once: 0x20 is added where adding to the low
// seven bits carries into the eighth from A on, and not yet from Z on.
func lower8(x uint64) uint64 {
	low := x &^ high
	fromA := low + (0x80-'A')*ones
	pastZ := low + (0x7F-'Z')*ones
	upper := ^x & (fromA ^ pastZ) & high
	return x | upper>>2
}

// equal8 sets the high bit of every byte that is c.
func equal8(x uint64, c byte) uint64 {
	x ^= uint64(c) * ones
	return ^(x&^high + 0x7F*ones | x) & high
}

// control8 sets the high bit of every byte below the blank.
func control8(x uint64) uint64 {
	return ^(x&^high + (0x80-' ')*ones | x) & high
}

// foldHash mixes the text with ASCII letters in lower case. Whoever looks up by it
// compares the text as well.
func foldHash(s string) uint64 {
	h := uint64(len(s)) * prime
	rest := s
	for ; len(rest) >= 8; rest = rest[8:] {
		h = mix(h, lower8(load8(rest)))
	}
	return mix(h, lower8(last8(s)))
}

const prime = 0x9E3779B97F4A7C15

func mix(h, word uint64) uint64 {
	h ^= word
	return (h ^ h>>32) * prime
}

// last8 holds the last eight bytes, or the whole of a shorter text.
func last8(s string) uint64 {
	if len(s) >= 8 {
		return load8(s[len(s)-8:])
	}
	var x uint64
	for i := 0; i < len(s); i++ {
		x = x<<8 | uint64(s[i])
	}
	return x
}

func lower(c byte) byte {
	if c-'A' < 26 {
		c |= 0x20
	}
	return c
}

// lowerText is strings.ToLower for ASCII letters alone.
func lowerText(s string) string {
	for i := 0; i < len(s); i++ {
		if lower(s[i]) != s[i] {
			return string(appendLower(make([]byte, 0, len(s)), s))
		}
	}
	return s
}

func appendLower(b []byte, s string) []byte {
	for ; len(s) >= 8; s = s[8:] {
		b = binary.LittleEndian.AppendUint64(b, lower8(load8(s)))
	}
	for i := 0; i < len(s); i++ {
		b = append(b, lower(s[i]))
	}
	return b
}

// foldEqual compares without regard to the case of ASCII letters.
func foldEqual(a, b string) bool {
	return len(a) == len(b) && (a == b || foldEqualSlow(a, b))
}

func foldEqualSlow(a, b string) bool {
	for i := 0; i < len(a); i++ {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// cutFoldPrefix cuts a prefix without regard to case, and says whether its case was
// the very one.
func cutFoldPrefix(s, prefix string) (rest string, ok, exact bool) {
	if len(s) < len(prefix) || !foldEqual(s[:len(prefix)], prefix) {
		return s, false, false
	}
	return s[len(prefix):], true, strings.HasPrefix(s, prefix)
}
