package object

import (
	"strconv"

	"github.com/pjbgf/sha1cd"

	"github.com/refward/refward/internal/git/oid"
)

// HashChecked is [Hash] for content that anybody may have made up. safe is false where it
// has the marks of a collision attack, as for [SumChecked].
func HashChecked(t Type, content []byte) (id oid.ID, safe bool) {
	header := strconv.AppendInt(append([]byte(t.String()), ' '), int64(len(content)), 10)
	return SumChecked(append(header, 0), content)
}

// SumChecked returns the SHA-1 of these bytes, one part after the other. safe is false
// where they have the marks of a known way to make two texts with one SHA-1: git looks
// for the same, and refuses to go on.
func SumChecked(parts ...[]byte) (sum oid.ID, safe bool) {
	h := sha1cd.New().(sha1cd.CollisionResistantHash)
	for _, p := range parts {
		_, _ = h.Write(p) // never fails
	}
	_, collides := h.CollisionResistantSum(sum[:0])
	return sum, !collides
}
