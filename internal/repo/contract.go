package repo

import (
	"context"
	"errors"
)

// Errors of this package, wrapped with details.
var (
	// ErrObjectNotFound is answered for an object that the repository does not hold.
	ErrObjectNotFound = errors.New("object not found")
	// ErrObjectType is answered when the object is of another type than asked for.
	ErrObjectType = errors.New("object is of another type")
	// ErrTooLarge is answered when an object or a pack is over the limit given.
	ErrTooLarge = errors.New("larger than the limit")
	// ErrBadPack is answered for a pack that is corrupt, breaks fsck's rules, or
	// whose objects are not connected. Its text is fit for the pusher to read.
	ErrBadPack = errors.New("pack refused")
	// ErrBadFetch is answered for a fetch that git cannot make sense of. Its text is fit
	// for the client to read.
	ErrBadFetch = errors.New("fetch refused")
	// ErrPackGone is answered when a pack that a snapshot lists is no longer stored.
	// The snapshot is old: read it again.
	ErrPackGone = errors.New("pack is gone")
	// ErrClosed is answered by a House that was closed.
	ErrClosed = errors.New("the house of repositories is closed")
)

// PackReader reads the bytes of inline packs from the metadata store.
type PackReader interface {
	// PackData returns the pack file. It is called concurrently.
	PackData(ctx context.Context, id ID, packID string) ([]byte, error)
}
