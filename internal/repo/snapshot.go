package repo

import (
	"slices"
	"strings"
	"time"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
)

// ID is a repository's UUID: it survives a rename and is never reused.
type ID string

// Ref is one ref of a repository.
type Ref struct {
	Name   refname.Name
	OID    oid.ID
	Peeled oid.ID // the object behind an annotated tag; zero for every other ref
}

// Pack is one immutable pack of a repository. Small ones live in the metadata
// store (Inline), the others in the blob store under Key, with their index under
// the same key and the ending .idx, and with Bitmap also .bitmap and .rev.
type Pack struct {
	ID      string // unique, ordered by time, never reused
	Key     string // blob key without ending; empty for an inline pack
	SHA256  string // hex, of the pack file
	Size    int64  // bytes of the pack file
	Objects int64
	Inline  []byte // the pack file; nil unless it was asked for and the pack is inline
	Created time.Time

	Bitmap       bool // its reachability bitmap and its reverse index are stored with it
	Consolidated bool // maintenance made it of other packs
}

// IsInline reports whether the pack's bytes are in the metadata store.
func (p Pack) IsInline() bool { return p.Key == "" }

// Snapshot is a repository at one generation. It is immutable and shared.
type Snapshot struct {
	ID    ID
	Gen   int64        // grows by one with every change of refs or packs
	Epoch int64        // grows only when objects may have been dropped
	Head  refname.Name // the default branch, also while it is unborn; empty if none was set
	Refs  []Ref        // sorted by name, byte-wise
	Packs []Pack       // in order of ID, without Inline
}

// Ref returns the ref of that name.
func (s *Snapshot) Ref(name refname.Name) (Ref, bool) {
	i, ok := slices.BinarySearchFunc(s.Refs, name, func(r Ref, n refname.Name) int {
		return strings.Compare(string(r.Name), string(n))
	})
	if !ok {
		return Ref{}, false
	}
	return s.Refs[i], true
}

// Prefix returns the refs whose names begin with prefix. The slice is part of
// the snapshot and must not be changed.
func (s *Snapshot) Prefix(prefix string) []Ref {
	lo, hi := s.Below(prefix)
	return s.Refs[lo:hi]
}

// Below says where in Refs those are whose names begin with prefix: from lo up to, but
// not including, hi.
func (s *Snapshot) Below(prefix string) (lo, hi int) {
	lo, _ = slices.BinarySearchFunc(s.Refs, prefix, func(r Ref, p string) int {
		return strings.Compare(string(r.Name), p)
	})
	n, _ := slices.BinarySearchFunc(s.Refs[lo:], prefix, func(r Ref, p string) int {
		if strings.HasPrefix(string(r.Name), p) {
			return -1
		}
		return 1
	})
	return lo, lo + n
}
