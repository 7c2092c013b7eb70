package maintenance

import (
	"context"
	"errors"
	"time"

	"github.com/refward/refward/internal/repo"
)

// Errors of a [Store], wrapped by drivers with what was looked for.
var (
	// ErrNotFound is returned for a repository that does not exist (any more).
	ErrNotFound = errors.New("not found")
	// ErrStale is returned when a pack to be replaced is not live any more, or when
	// objects may have been dropped since the snapshot was read. Nothing was changed.
	ErrStale = errors.New("changed in the meantime")
)

// DeadPack is a pack that is no longer part of its repository.
type DeadPack struct {
	Repository repo.ID
	Pack       repo.Pack // without Inline
	Died       time.Time
}

// DeadLFS is an object of Git LFS of a repository that was deleted.
type DeadLFS struct {
	Key  string // of the blob
	Died time.Time
}

// Store is what maintenance asks of the metadata store. It is safe for concurrent use,
// and each method is one transaction.
type Store interface {
	// Crowded lists repositories after the one given, in order of ID, that have at least
	// packs live packs, or one of at least bytes bytes.
	Crowded(ctx context.Context, after repo.ID, packs int, bytes int64, limit int) ([]repo.ID, error)

	// Packs lists the live packs of a repository, in order of ID; none where there is no
	// such repository.
	Packs(ctx context.Context, id repo.ID) ([]repo.Pack, error)

	// Snapshot reads a repository with its refs and live packs; ErrNotFound.
	Snapshot(ctx context.Context, id repo.ID) (*repo.Snapshot, error)

	// Replace lists the pack in place of others and adds one to the repository's
	// generation, if its epoch is still the one given and all the others are still live;
	// else ErrStale. When it returns nil the change survives a crash.
	Replace(ctx context.Context, id repo.ID, epoch int64, packIDs []string, by repo.Pack, at time.Time) error

	// DeadPacks lists packs that died before the time, those that died first in front.
	DeadPacks(ctx context.Context, before time.Time, limit int) ([]DeadPack, error)

	// DropPack removes the row of a dead pack. One that is not there, or not dead, is left
	// as it is.
	DropPack(ctx context.Context, id repo.ID, packID string) error

	// DeadLFS lists objects of Git LFS whose repository was deleted before the time.
	DeadLFS(ctx context.Context, before time.Time, limit int) ([]DeadLFS, error)

	// DropLFS removes the rows of such objects. One that is not there is dropped already.
	DropLFS(ctx context.Context, keys ...string) error

	// Listed reports whether a pack or an object of Git LFS, live or dead, has this blob key.
	Listed(ctx context.Context, key string) (bool, error)
}
