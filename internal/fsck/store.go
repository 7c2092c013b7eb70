package fsck

import (
	"context"
	"time"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// Repository is a repository's row, as far as it is named in a report.
type Repository struct {
	ID      repo.ID
	Account string
	Name    string
}

// RefEvent is one row of the history of refs.
type RefEvent struct {
	Gen, Seq int64
	Ref      refname.Name
	Old, New oid.ID // zero: no such ref
	Peeled   oid.ID
}

// DeadPack is a pack that maintenance will delete.
type DeadPack struct {
	Repository repo.ID
	ID         string
	Size       int64
	Died       time.Time
}

// LFSObject is the row of an object of Git LFS.
type LFSObject struct {
	OID  []byte // 32 of them, if all is well
	Size int64
	Key  string // of the blob
}

// DeadLFS is an object of Git LFS that maintenance will delete.
type DeadLFS struct {
	Key  string
	Died time.Time
}

// Store is what the checks read of the metadata store.
type Store interface {
	repo.PackReader

	// Integrity asks the engine whether its files are whole, and the rows whether each has
	// the row that it belongs to. It returns what is wrong, one sentence each.
	Integrity(ctx context.Context) ([]string, error)

	// Repositories lists after the ID given, in order of ID.
	Repositories(ctx context.Context, after repo.ID, limit int) ([]Repository, error)

	// Snapshot reads a repository with its refs and its live packs.
	Snapshot(ctx context.Context, id repo.ID) (*repo.Snapshot, error)

	// RefEvents calls yield for every event of a repository's refs: in order of the name,
	// and those of one ref in the order in which they happened.
	RefEvents(ctx context.Context, id repo.ID, yield func(RefEvent) error) error

	// Dead lists packs that are not live, oldest first.
	Dead(ctx context.Context, limit int) ([]DeadPack, error)

	// LFSObjects lists the objects of a repository after the ID given, in order of ID.
	LFSObjects(ctx context.Context, id repo.ID, after []byte, limit int) ([]LFSObject, error)

	// DeadObjects lists objects of Git LFS whose repository was deleted.
	DeadObjects(ctx context.Context, limit int) ([]DeadLFS, error)

	// Listed reports whether a pack or an object of Git LFS, live or dead, has this blob key.
	Listed(ctx context.Context, key string) (bool, error)
}
