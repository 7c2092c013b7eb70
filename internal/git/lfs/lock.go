package lfs

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of the messages about locks.
const (
	MaxLockBytes = 64 << 10 // of a request
	MaxPathBytes = 4 << 10  // of a locked path
)

// ErrPath is wrapped by the errors of CheckPath.
var ErrPath = errors.New("invalid path")

// CheckPath reports whether a path names a file in a working tree: relative, with
// slashes, in UTF-8, without a component that is empty, "." or "..".
func CheckPath(path string) error {
	switch {
	case path == "":
		return fmt.Errorf("%w: it is empty", ErrPath)
	case len(path) > MaxPathBytes:
		return fmt.Errorf("%w: it is longer than %d bytes", ErrPath, MaxPathBytes)
	case !utf8.ValidString(path):
		return fmt.Errorf("%w: it is not UTF-8", ErrPath)
	case strings.ContainsFunc(path, unicode.IsControl):
		return fmt.Errorf("%w: it holds a control character", ErrPath)
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("%w: it has the component %q", ErrPath, part)
		}
	}
	return nil
}

// LockRequest asks to lock a path.
type LockRequest struct {
	Path string
	Ref  *string // unchecked; nil: not said
}

// DecodeLock reads a request to lock a path.
func DecodeLock(data []byte) (LockRequest, error) {
	var in struct {
		Path string `json:"path"`
		Ref  *refOf `json:"ref"`
	}
	if err := decode(data, &in); err != nil {
		return LockRequest{}, err
	}
	ref, err := in.Ref.name()
	return LockRequest{in.Path, ref}, err
}

// UnlockRequest asks to remove a lock.
type UnlockRequest struct {
	Force bool // also where it is another's
	Ref   *string
}

// DecodeUnlock reads a request to remove a lock. A client may send nothing at all.
func DecodeUnlock(data []byte) (UnlockRequest, error) {
	var in struct {
		Force bool   `json:"force"`
		Ref   *refOf `json:"ref"`
	}
	if len(data) == 0 {
		return UnlockRequest{}, nil
	}
	if err := decode(data, &in); err != nil {
		return UnlockRequest{}, err
	}
	ref, err := in.Ref.name()
	return UnlockRequest{in.Force, ref}, err
}

// VerifyRequest asks for the locks that concern a push.
type VerifyRequest struct {
	Ref    *string
	Cursor string
	Limit  int // 0: the server's choice
}

// DecodeVerify reads a request for the locks that concern a push.
func DecodeVerify(data []byte) (VerifyRequest, error) {
	var in struct {
		Ref    *refOf `json:"ref"`
		Cursor string `json:"cursor"`
		Limit  int    `json:"limit"`
	}
	if err := decode(data, &in); err != nil {
		return VerifyRequest{}, err
	}
	ref, err := in.Ref.name()
	return VerifyRequest{ref, in.Cursor, in.Limit}, err
}

// Lock is a lock as clients are told of it.
type Lock struct {
	ID       string `json:"id"`
	Path     string `json:"path"`
	LockedAt string `json:"locked_at"` // RFC 3339, to the second
	Owner    Owner  `json:"owner"`
}

// Owner names who holds a lock, for people.
type Owner struct {
	Name string `json:"name"`
}

// NewLock spells a lock.
func NewLock(id, path, owner string, at time.Time) Lock {
	return Lock{ID: id, Path: path, LockedAt: at.UTC().Format(time.RFC3339), Owner: Owner{owner}}
}

// LockAnswer answers the creation and the removal of a lock; Message stands beside a
// lock that is in the way.
type LockAnswer struct {
	Lock      Lock   `json:"lock"`
	Message   string `json:"message,omitempty"`
	RequestID string `json:"request_id,omitempty"`
}

// LockList answers a listing.
type LockList struct {
	Locks      []Lock `json:"locks"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// VerifiedLocks answers a verification.
type VerifiedLocks struct {
	Ours       []Lock `json:"ours"`
	Theirs     []Lock `json:"theirs"`
	NextCursor string `json:"next_cursor,omitempty"`
}

// ErrorAnswer is what every refusal is told with.
type ErrorAnswer struct {
	Message   string `json:"message"`
	RequestID string `json:"request_id,omitempty"`
}
