package authn

import (
	"context"
	"errors"

	"github.com/refward/refward/internal/authz"
)

// ErrUnknown is what a [Source] answers for a credential that does not exist, is
// inactive, or whose password does not match. The three are not told apart.
var ErrUnknown = errors.New("unknown or inactive credential")

// ErrExpired is what a [Source] answers for temporary credentials that were good once.
var ErrExpired = errors.New("expired credential")

// Identity is a proven principal and the credential that proved it.
type Identity struct {
	Principal  authz.Principal
	Credential authz.Credential
}

// SigningKey is an access key with its secret, for checking SigV4 signatures.
type SigningKey struct {
	Identity Identity
	Secret   string // never logged, never in an error
}

// SSHKey is an SSH public key that a user uploaded.
type SSHKey struct {
	Identity  Identity
	PublicKey []byte // in the wire format of RFC 4253, section 6.6
}

// Source knows the credentials. It is strictly consistent (a key deactivated before
// the call is unknown) and safe for concurrent use. Errors other than [ErrUnknown] and
// [ErrExpired] are failures of the store.
type Source interface {
	// SigningKey returns the active long-term access key with this ID (AKIA…).
	SigningKey(ctx context.Context, accessKeyID string) (SigningKey, error)

	// SessionKey returns the access key of temporary credentials (ASIA…), if the token
	// is the one that was given with it and whoever it was given to still is who they
	// were. Its principal has a Session. ErrExpired when its time is over.
	SessionKey(ctx context.Context, accessKeyID, token string) (SigningKey, error)

	// GitPassword returns who holds the active service-specific credential with this
	// user name ("alice-at-123456789012"), if the password is its own. It takes the
	// same time whether the name exists or not, as far as hashing goes.
	GitPassword(ctx context.Context, userName, password string) (Identity, error)

	// SSHKey returns the active SSH public key with this ID (APKA…).
	SSHKey(ctx context.Context, keyID string) (SSHKey, error)
}
