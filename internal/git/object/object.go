// Package object holds the objects of a SHA-1 repository as values: it parses and
// encodes commits and trees, reads what an annotated tag names, and computes object
// IDs. The formats are those of gitformat-commit and git-mktree; bytes go in and
// values come out, nothing here reads a repository.
//
// A parser refuses what has no clear meaning. It accepts the old slips that hosts
// tolerate in imported history (a mode with a leading zero, an author without an
// address), and then encoding what was parsed gives the canonical form, not the bytes
// it came from.
package object

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"strconv"

	"github.com/refward/refward/internal/git/oid"
)

// ErrSyntax is wrapped by every error of a parser.
var ErrSyntax = errors.New("malformed object")

// Type is the type of an object.
type Type uint8

// The types.
const (
	Commit Type = iota + 1
	Tree
	Blob
	Tag
)

var typeNames = [...]string{Commit: "commit", Tree: "tree", Blob: "blob", Tag: "tag"}

// String returns the type's name as Git writes it.
func (t Type) String() string {
	if t == 0 || int(t) >= len(typeNames) {
		return "Type(" + strconv.Itoa(int(t)) + ")"
	}
	return typeNames[t]
}

// ParseType reads a type's name as Git writes it.
func ParseType(name string) (Type, error) {
	for t, n := range typeNames {
		if n == name && n != "" {
			return Type(t), nil
		}
	}
	return 0, fmt.Errorf("%w: type %q", ErrSyntax, name)
}

// Hash returns the ID of the object with this type and content.
func Hash(t Type, content []byte) oid.ID {
	h := sha1.New()
	header := strconv.AppendInt(append([]byte(t.String()), ' '), int64(len(content)), 10)
	h.Write(append(header, 0))
	h.Write(content)
	var id oid.ID
	h.Sum(id[:0])
	return id
}

// Raw is an object to be written.
type Raw struct {
	Type    Type
	Content []byte
}

// ID returns the object's ID.
func (r Raw) ID() oid.ID { return Hash(r.Type, r.Content) }
