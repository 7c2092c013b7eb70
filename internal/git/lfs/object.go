package lfs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// OID is the SHA-256 of an object's bytes.
type OID [sha256.Size]byte

// ErrOID is returned for text that is not 64 lower-case hexadecimal digits.
var ErrOID = errors.New("object ID is not 64 lower-case hexadecimal digits")

// ParseOID reads 64 lower-case hexadecimal digits: one name for each object, because it
// becomes part of a path.
func ParseOID(text string) (OID, error) {
	var id OID
	if len(text) != hex.EncodedLen(len(id)) {
		return OID{}, ErrOID
	}
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return OID{}, ErrOID
		}
	}
	if _, err := hex.Decode(id[:], []byte(text)); err != nil {
		return OID{}, ErrOID
	}
	return id, nil
}

// String returns the 64 digits.
func (id OID) String() string { return hex.EncodeToString(id[:]) }

// Object is an object as a pointer file names it.
type Object struct {
	OID  OID
	Size int64 // bytes; not negative
}
