package codecommit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// Errors of a [Store], wrapped by drivers with what was looked for.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists")
	// ErrStale is returned when a compare-and-swap found another value than the one
	// named, or when the epoch moved on. The transaction must be given up.
	ErrStale = errors.New("changed in the meantime")
)

// Repository is a repository's row.
type Repository struct {
	Account     string
	ID          repo.ID
	Name        string
	Description string
	Head        refname.Name // default branch; empty until one was set
	Gen, Epoch  int64
	KMSKeyID    string
	Created     time.Time // millisecond precision, as all times here
	Modified    time.Time
}

// RefMove is one change of one ref. Old zero: create; New zero: delete.
type RefMove struct {
	Ref      refname.Name
	Old, New oid.ID
	Peeled   oid.ID // of New, for an annotated tag
}

// RefEvent is one row of the reflog: a ref that moved, and who moved it.
type RefEvent struct {
	Gen       int64
	Move      RefMove
	Principal string // ARN
	Operation string // "GitPush", "MergePullRequestByFastForward", …
	RequestID string
	At        time.Time
}

// PullRequest is a pull request's row. There is always exactly one target.
type PullRequest struct {
	Account        string
	ID             int64 // unique in the account, counted up from 1
	Repository     repo.ID
	Title          string
	Description    string
	HasDescription bool
	AuthorARN      string
	Source         refname.Name
	Destination    refname.Name
	SourceCommit   oid.ID // follows the branch while the pull request is open
	DestCommit     oid.ID // tip of the destination where it was, or will be, merged
	MergeBase      oid.ID // zero where the two have no common ancestor
	Closed         bool
	Merged         bool
	MergedBy       string // ARN
	MergeCommit    oid.ID
	MergeOption    string // FAST_FORWARD_MERGE, …
	RevisionID     string // 64 hexadecimal digits, new whenever the source moves
	Token          string // clientRequestToken, as given
	TokenDigest    string // hex SHA-256 of the parameters the token came with
	Created        time.Time
	LastActivity   time.Time
}

// PullRequestEvent is one row of a pull request's history. Detail is the JSON of
// the event's own metadata in the SDK's member names.
type PullRequestEvent struct {
	PullRequest int64
	Seq         int64 // order within the pull request, counted up from 1
	Type        string
	ActorARN    string
	At          time.Time
	Detail      []byte
}

// Page bounds a listing: at most Limit rows after the row whose key is After. The
// empty After is the beginning.
type Page struct {
	After string
	Limit int
}

// RepositoryOrder is how ListRepositories sorts.
type RepositoryOrder struct {
	ByModified bool // else by name, byte-wise
	Descending bool
}

// PullRequestFilter selects pull requests of one repository.
type PullRequestFilter struct {
	Repository repo.ID
	AuthorARN  string // empty: any
	Closed     *bool  // nil: any
}

// Store keeps repositories, refs, pull requests and their history. It is safe for
// concurrent use, and the one place where what is acknowledged becomes durable.
type Store interface {
	// View runs f on one consistent snapshot.
	View(ctx context.Context, f func(ctx context.Context, tx Reader) error) error

	// Update runs f in a serialisable transaction and commits when f returns nil.
	// When Update returns nil the changes survive a crash. f may run again after a
	// conflict, and must have no other effects; no network or blob I/O inside.
	Update(ctx context.Context, f func(ctx context.Context, tx Tx) error) error

	// Repository is Repository of a view of its own, for the read on every request.
	Repository(ctx context.Context, account, name string) (Repository, error)
}

// Reader reads one snapshot. Unless said otherwise a missing row is ErrNotFound.
type Reader interface {
	LFSReader

	Repository(ctx context.Context, account, name string) (Repository, error)
	RepositoryByID(ctx context.Context, id repo.ID) (Repository, error)
	// Repositories lists an account's repositories. After is the token that the
	// order needs: see [RepositoryCursor].
	Repositories(ctx context.Context, account string, order RepositoryOrder, page Page) ([]Repository, error)
	CountRepositories(ctx context.Context, account string) (int, error)

	// Refs returns the refs that changed after generation sinceGen, sorted by name,
	// byte-wise; a deleted one has a zero OID when sinceGen > 0 and is left out when
	// it is 0.
	Refs(ctx context.Context, id repo.ID, sinceGen int64) ([]repo.Ref, error)
	Ref(ctx context.Context, id repo.ID, name refname.Name) (repo.Ref, error)
	// RefConflict returns a live ref that cannot exist beside name because one is a
	// folder of the other, or ErrNotFound.
	RefConflict(ctx context.Context, id repo.ID, name refname.Name) (refname.Name, error)
	Packs(ctx context.Context, id repo.ID) ([]repo.Pack, error) // live, in order of ID, without Inline
	PackData(ctx context.Context, id repo.ID, packID string) ([]byte, error)
	RefEvents(ctx context.Context, id repo.ID, name refname.Name, limit int) ([]RefEvent, error) // newest first

	PullRequest(ctx context.Context, account string, id int64) (PullRequest, error)
	PullRequestByToken(ctx context.Context, account, token string) (PullRequest, error)
	// PullRequests lists by ID, newest first; After is the decimal ID of the last row.
	PullRequests(ctx context.Context, account string, f PullRequestFilter, page Page) ([]PullRequest, error)
	// OpenPullRequestsOn returns the open ones whose source or destination is the ref.
	OpenPullRequestsOn(ctx context.Context, id repo.ID, ref refname.Name) ([]PullRequest, error)
	CountOpenPullRequests(ctx context.Context, id repo.ID) (int, error)
	// PullRequestEvents lists oldest first; After is the decimal Seq of the last row.
	PullRequestEvents(ctx context.Context, account string, id int64, eventType, actorARN string, page Page) ([]PullRequestEvent, error)
}

// Tx reads and writes inside one transaction.
type Tx interface {
	Reader
	LFSTx

	InsertRepository(ctx context.Context, r Repository) error // ErrExists for the name
	// UpdateRepository writes name, description, head, key and modification time.
	UpdateRepository(ctx context.Context, r Repository) error // ErrExists for the name
	// DeleteRepository removes the repository with its refs and pull requests, and
	// marks its packs dead; their blobs are swept later.
	DeleteRepository(ctx context.Context, id repo.ID, at time.Time) error

	// Advance locks the repository's row, checks that its epoch is still the one
	// given (ErrStale otherwise) and adds one to its generation, which it returns.
	// Every change of refs or packs calls it first.
	Advance(ctx context.Context, id repo.ID, epoch int64, at time.Time) (gen int64, err error)
	// SwapRef changes a ref from m.Old to m.New at generation gen, or answers
	// ErrStale when it is not at m.Old.
	SwapRef(ctx context.Context, id repo.ID, gen int64, m RefMove) error
	InsertPack(ctx context.Context, id repo.ID, gen int64, p repo.Pack) error // with Inline
	AppendRefEvents(ctx context.Context, id repo.ID, events []RefEvent) error

	// InsertPullRequest gives the next ID of the account and returns it.
	InsertPullRequest(ctx context.Context, pr PullRequest) (int64, error)
	UpdatePullRequest(ctx context.Context, pr PullRequest) error
	// AppendPullRequestEvent gives the event the next Seq of its pull request.
	AppendPullRequestEvent(ctx context.Context, account string, e PullRequestEvent) error
}

// cursorTime is how a cursor spells a modification time: sortable, to the millisecond.
const cursorTime = "2006-01-02T15:04:05.000Z"

// RepositoryCursor is what Page.After holds after a repository, for the order.
func RepositoryCursor(o RepositoryOrder, r Repository) string {
	if o.ByModified {
		return r.Modified.UTC().Format(cursorTime) + "/" + r.Name
	}
	return r.Name
}

// ParseRepositoryCursor is the inverse of [RepositoryCursor]: the modification time,
// which is zero in an order by name, and the name.
func ParseRepositoryCursor(o RepositoryOrder, cursor string) (modified time.Time, name string, err error) {
	if !o.ByModified {
		return time.Time{}, cursor, nil
	}
	stamp, name, ok := strings.Cut(cursor, "/")
	if modified, err = time.Parse(cursorTime, stamp); err != nil || !ok {
		return time.Time{}, "", fmt.Errorf("%q is not a cursor of repositories", cursor)
	}
	return modified, name, nil
}
