// Package oid holds the object ID of a SHA-1 repository: the name of a blob, tree,
// commit or tag. Abbreviated IDs and SHA-256 repositories are not handled.
package oid

import (
	"encoding/hex"
	"errors"
)

// Size is the length of an ID in bytes.
const Size = 20

// HexLen is the length of an ID in its hexadecimal form.
const HexLen = 2 * Size

// ID is an object ID. The zero ID stands for "no object", as in Git's wire
// protocol.
type ID [Size]byte

// Zero is the ID of no object.
var Zero ID

// ErrSyntax is returned for text that is not 40 lower-case hexadecimal digits.
var ErrSyntax = errors.New("object ID is not 40 lower-case hexadecimal digits")

// Parse reads 40 lower-case hexadecimal digits.
func Parse[T string | []byte](text T) (ID, error) {
	var id ID
	if len(text) != HexLen {
		return Zero, ErrSyntax
	}
	for i := range id {
		hi, lo := nibble(text[2*i]), nibble(text[2*i+1])
		if hi > 15 || lo > 15 {
			return Zero, ErrSyntax
		}
		id[i] = hi<<4 | lo
	}
	return id, nil
}

func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 0xff
}

// IsZero reports whether the ID stands for no object.
func (id ID) IsZero() bool { return id == Zero }

// String returns the 40 lower-case hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// AppendText appends the hexadecimal form, without allocating beyond b.
func (id ID) AppendText(b []byte) ([]byte, error) { return hex.AppendEncode(b, id[:]), nil }
