package object

import (
	"fmt"

	"github.com/refward/refward/internal/git/oid"
)

// ParseTagTarget reads which object an annotated tag names, and its type.
func ParseTagTarget(b []byte) (oid.ID, Type, error) {
	head, _, ok := splitHead(b)
	if !ok {
		return oid.Zero, 0, fmt.Errorf("%w: the tag's header does not end", ErrSyntax)
	}
	s := headerScanner{rest: head}
	id, err := s.id("object")
	if err != nil {
		return oid.Zero, 0, err
	}
	name, err := s.line("type")
	if err != nil {
		return oid.Zero, 0, err
	}
	t, err := ParseType(name)
	if err != nil {
		return oid.Zero, 0, err
	}
	if _, err := s.line("tag"); err != nil {
		return oid.Zero, 0, err
	}
	return id, t, nil
}
