package codecommit

import (
	"context"
	"strings"
	"time"

	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// LFSObject is the row of an object of Git LFS, without which its blob is nothing. An
// object belongs to one repository: the same bytes in another are another object.
type LFSObject struct {
	lfs.Object
	Key     string // of the blob
	Created time.Time
}

// LFSLock is the row of a lock of Git LFS. Locks are by path, whatever the branch.
type LFSLock struct {
	ID        string // unique in the repository, never reused
	Path      string
	Ref       refname.Name // the ref it was made for; empty where none was named
	OwnerARN  string       // for people; a name may be given to another
	OwnerID   string       // unique ID of the principal, by which owners are told apart
	RequestID string       // of the request that made it
	Created   time.Time
}

// OwnerName is what people call the owner: the end of the ARN.
func (l LFSLock) OwnerName() string {
	return l.OwnerARN[strings.LastIndexAny(l.OwnerARN, "/:")+1:]
}

// LFSReader is the part of a [Reader] for Git LFS.
type LFSReader interface {
	LFSObject(ctx context.Context, id repo.ID, object lfs.OID) (LFSObject, error)

	// LFSLocks lists by path, byte-wise; After is the path of the last row.
	LFSLocks(ctx context.Context, id repo.ID, page Page) ([]LFSLock, error)
	LFSLock(ctx context.Context, id repo.ID, lockID string) (LFSLock, error)
	LFSLockOn(ctx context.Context, id repo.ID, path string) (LFSLock, error)
	CountLFSLocks(ctx context.Context, id repo.ID) (int, error)
}

// LFSTx is the part of a [Tx] for Git LFS. [Tx.DeleteRepository] removes the
// repository's objects and locks; the blobs of the objects are dead then, and left to
// maintenance.
type LFSTx interface {
	InsertLFSObject(ctx context.Context, id repo.ID, o LFSObject) error // ErrExists for the object ID
	InsertLFSLock(ctx context.Context, id repo.ID, l LFSLock) error     // ErrExists for the path and for the ID
	DeleteLFSLock(ctx context.Context, id repo.ID, lockID string) error // ErrNotFound
}
