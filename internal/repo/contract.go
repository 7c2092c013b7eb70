package repo

import (
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
)
