package repo

import (
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
	Refs  Refs
	Packs []Pack // in order of ID, without Inline
}

// Ref returns the ref of that name.
func (s *Snapshot) Ref(name refname.Name) (Ref, bool) { return s.Refs.Find(name) }
