package iam

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
)

// Errors of a [Store], wrapped by drivers with what was looked for.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("exists")
)

// Account is one account of the host.
type Account struct {
	ID      string // 12 digits
	Created time.Time
}

// User is a user's row.
type User struct {
	Account string
	ID      string // AIDA…
	Name    string
	Path    string    // begins and ends with a slash
	Created time.Time // millisecond precision, as all times here
}

// Group is a group's row.
type Group struct {
	Account string
	ID      string // AGPA…
	Name    string
	Path    string
	Created time.Time
}

// Tag is a tag of a user.
type Tag struct {
	Key   string // unique for the user without regard to case
	Value string
}

// InlinePolicy is a policy embedded in a user or a group.
type InlinePolicy struct {
	Name     string // compared byte by byte
	Document string // byte for byte as it was put
}

// AccessKey is a long-term access key. Those of the account's root have the account's
// ID as their UserID.
type AccessKey struct {
	Account string
	ID      string // AKIA…
	UserID  string
	Active  bool
	Sealed  []byte // the secret access key, sealed by package secret
	Created time.Time
}

// ServiceCredential is a service-specific credential.
type ServiceCredential struct {
	Account  string
	ID       string // ACCA…
	UserID   string
	Service  string // "codecommit.amazonaws.com"
	UserName string // what a Git client gives as its user name; unique on the host
	Hash     []byte // of the password, by package secret
	Active   bool
	Created  time.Time
}

// SSHPublicKey is an SSH public key that a user uploaded.
type SSHPublicKey struct {
	Account  string
	ID       string // APKA…
	UserID   string
	Wire     []byte // in the wire format of RFC 4253, section 6.6; a user has each key once
	Comment  string // as it stood behind the key
	Active   bool
	Uploaded time.Time
}

// Page bounds a listing: at most Limit rows after the row whose cursor is After; each
// listing says what its cursor is. The empty After is the beginning.
type Page struct {
	After string
	Limit int
}

// Store keeps the rows of the identity domain. It is safe for concurrent use.
type Store interface {
	// View runs f on one consistent snapshot.
	View(ctx context.Context, f func(ctx context.Context, tx Reader) error) error

	// Update runs f in a serialisable transaction, adds one to the account's
	// generation in the same transaction, and commits when f returns nil. When Update
	// returns nil the changes survive a crash; otherwise nothing has changed. f may
	// run again after a conflict, and must have no other effects. ErrNotFound for an
	// account that does not exist.
	Update(ctx context.Context, account string, f func(ctx context.Context, tx Tx) error) error

	// CreateAccount makes an account's row. ErrExists.
	CreateAccount(ctx context.Context, a Account) error

	// Generation returns the account's generation: a read after a commit sees at least
	// the commit's generation. It costs one point read. ErrNotFound.
	Generation(ctx context.Context, account string) (int64, error)

	// AccessKeyHolder returns the access key with this ID and its user, read in one
	// snapshot. The user is zero for a key of the account's root. ErrNotFound.
	AccessKeyHolder(ctx context.Context, keyID string) (AccessKey, User, error)

	// ServiceCredentialHolder returns the service-specific credential with this user
	// name and its user, read in one snapshot. ErrNotFound.
	ServiceCredentialHolder(ctx context.Context, userName string) (ServiceCredential, User, error)

	// SSHPublicKeyHolder returns the SSH public key with this ID and its user, read in
	// one snapshot. ErrNotFound.
	SSHPublicKeyHolder(ctx context.Context, keyID string) (SSHPublicKey, User, error)
}

// Reader reads one snapshot. A missing row is ErrNotFound; a listing of what does not
// exist is empty. Names are matched byte by byte.
type Reader interface {
	Accounts(ctx context.Context) ([]Account, error) // by ID
	// Generation returns the account's generation as of the snapshot.
	Generation(ctx context.Context, account string) (int64, error)

	User(ctx context.Context, account, name string) (User, error)
	UserByID(ctx context.Context, account, id string) (User, error)
	// Users lists users whose path begins with pathPrefix, in the order of [Fold] of
	// their names; the cursor is the name.
	Users(ctx context.Context, account, pathPrefix string, page Page) ([]User, error)
	CountUsers(ctx context.Context, account string) (int, error)

	Group(ctx context.Context, account, name string) (Group, error)
	Groups(ctx context.Context, account, pathPrefix string, page Page) ([]Group, error) // as Users
	CountGroups(ctx context.Context, account string) (int, error)

	// Members lists a group's users, and GroupsOf a user's groups, in the order of
	// their folded names; the cursor is the name.
	Members(ctx context.Context, account, groupID string, page Page) ([]User, error)
	GroupsOf(ctx context.Context, account, userID string, page Page) ([]Group, error)

	// InlinePolicies lists the policies of a user or group by name, byte-wise; the
	// cursor is the name.
	InlinePolicies(ctx context.Context, account, ownerID string, page Page) ([]InlinePolicy, error)
	InlinePolicy(ctx context.Context, account, ownerID, name string) (InlinePolicy, error)

	// AccessKeys lists a user's keys by ID, which is the cursor.
	AccessKeys(ctx context.Context, account, userID string, page Page) ([]AccessKey, error)
	AccessKey(ctx context.Context, account, keyID string) (AccessKey, error)

	// ServiceCredentials lists credentials by ID; the cursor is the ID. An empty user
	// ID means those of every user, an empty service those for every service.
	ServiceCredentials(ctx context.Context, account, userID, service string, page Page) ([]ServiceCredential, error)
	ServiceCredential(ctx context.Context, account, id string) (ServiceCredential, error)
	// HasServiceUserName reports whether some credential of the host has this user name.
	HasServiceUserName(ctx context.Context, userName string) (bool, error)

	// SSHPublicKeys lists a user's SSH public keys by ID, which is the cursor.
	SSHPublicKeys(ctx context.Context, account, userID string, page Page) ([]SSHPublicKey, error)
	SSHPublicKey(ctx context.Context, account, id string) (SSHPublicKey, error)

	// Tags lists a user's tags in the order of their folded keys; the cursor is the key.
	Tags(ctx context.Context, account, userID string, page Page) ([]Tag, error)
}

// Tx reads and writes inside one transaction. Inserts answer ErrExists for a row that
// exists, changes and deletions ErrNotFound for one that does not, unless said
// otherwise.
type Tx interface {
	Reader

	InsertUser(ctx context.Context, u User) error // ErrExists also for a name that differs in case alone
	UpdateUser(ctx context.Context, u User) error // writes name and path; ErrExists likewise
	DeleteUser(ctx context.Context, account, id string) error

	InsertGroup(ctx context.Context, g Group) error
	UpdateGroup(ctx context.Context, g Group) error
	DeleteGroup(ctx context.Context, account, id string) error

	InsertMember(ctx context.Context, account, groupID, userID string) error
	DeleteMember(ctx context.Context, account, groupID, userID string) error

	PutInlinePolicy(ctx context.Context, account, ownerID string, p InlinePolicy) error // replaces
	DeleteInlinePolicy(ctx context.Context, account, ownerID, name string) error

	InsertAccessKey(ctx context.Context, k AccessKey) error // ErrExists for the ID in whatever account
	UpdateAccessKey(ctx context.Context, k AccessKey) error // writes Active and Sealed
	DeleteAccessKey(ctx context.Context, account, id string) error

	InsertServiceCredential(ctx context.Context, c ServiceCredential) error // ErrExists also for the user name
	UpdateServiceCredential(ctx context.Context, c ServiceCredential) error // writes Active and Hash
	DeleteServiceCredential(ctx context.Context, account, id string) error

	InsertSSHPublicKey(ctx context.Context, k SSHPublicKey) error // ErrExists also for a key that the user has
	UpdateSSHPublicKey(ctx context.Context, k SSHPublicKey) error // writes Active
	DeleteSSHPublicKey(ctx context.Context, account, id string) error

	PutTag(ctx context.Context, account, userID string, t Tag) error // replaces a tag whose key folds alike
	DeleteTag(ctx context.Context, account, userID, key string) error
}

// Fold returns the name in lower case: two names that fold alike are the same name to
// IAM's uniqueness rules. It maps rune by rune, so that the answer depends neither on a
// locale nor on an engine's collation.
func Fold(name string) string { return strings.Map(unicode.ToLower, name) }
