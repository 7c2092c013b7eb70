// Package blob is the contract of the store that holds packs and their indexes:
// immutable objects under keys that are never reused. Drivers are in blob/dir (a
// folder) and, where a team outgrows one machine, an S3-compatible store; blobtest
// is the suite that every driver passes. Nothing here needs a conditional write or
// delete, and which blobs are live is known to the metadata store alone.
package blob

import (
	"context"
	"errors"
	"io"
	"time"
)

// ErrNotFound is returned, wrapped, for a key without a blob.
var ErrNotFound = errors.New("blob not found")

// ErrExists is returned, wrapped, when a key is put that already has a blob.
var ErrExists = errors.New("blob exists")

// Info describes one blob.
type Info struct {
	Key     string
	Size    int64 // bytes
	Created time.Time
}

// Store holds blobs. Keys are slash-separated components of [A-Za-z0-9._-], none of
// them "." or ".."; every method refuses others. Safe for concurrent use.
type Store interface {
	// Put stores size bytes of r under key. When it returns nil the blob is durable
	// and complete; on an error or a cancelled ctx there is no blob under key.
	Put(ctx context.Context, key string, r io.Reader, size int64) error

	// Get opens a blob from its first byte. The caller closes it.
	Get(ctx context.Context, key string) (io.ReadCloser, error)

	// Stat describes a blob.
	Stat(ctx context.Context, key string) (Info, error)

	// Delete removes a blob; one that is not there is not an error.
	Delete(ctx context.Context, key string) error

	// List calls yield for every blob whose key begins with prefix, in byte order
	// of the keys, until it returns false.
	List(ctx context.Context, prefix string, yield func(Info) bool) error
}
