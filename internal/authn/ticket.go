package authn

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/refward/refward/internal/secret"
)

// Proof is what a Git client proved itself with, by which it is proven again each time
// that it comes back with a ticket. It holds a secret.
type Proof struct {
	user     string
	password secret.Text
	keyID    string // of an SSH key
	key      []byte // the SSH key, in its wire format
}

// BasicProof is a Git credential that came as HTTP Basic; see [Verifier.Git].
func BasicProof(userName, password string) Proof {
	return Proof{user: userName, password: secret.NewText(password)}
}

// SSHProof is an SSH key that a connection has proven to hold.
func SSHProof(keyID string, key []byte) Proof { return Proof{keyID: keyID, key: key} }

// Equal reports whether two proofs are of one credential.
func (p Proof) Equal(q Proof) bool {
	same := subtle.ConstantTimeCompare([]byte(p.user), []byte(q.user)) & subtle.ConstantTimeCompare([]byte(p.password.Reveal()), []byte(q.password.Reveal())) &
		subtle.ConstantTimeCompare([]byte(p.keyID), []byte(q.keyID)) & subtle.ConstantTimeCompare(p.key, q.key)
	return same == 1
}

// Prove returns who the proof is of, as of now: a credential that was deactivated or
// removed proves nobody ([ErrUnknown]). host and paths are as for [Verifier.Git]; of
// several paths the signature has to cover one.
func (v *Verifier) Prove(ctx context.Context, p Proof, host string, paths ...string) (Identity, error) {
	if p.keyID == "" {
		return v.Git(ctx, p.user, p.password.Reveal(), host, paths...)
	}
	known, err := v.Source.SSHKey(ctx, p.keyID)
	if err != nil {
		return Identity{}, err
	}
	if subtle.ConstantTimeCompare(known.PublicKey, p.key) != 1 {
		return Identity{}, ErrUnknown
	}
	return known.Identity, nil
}

// Tickets are what a client is given to come back with instead of its credential: for
// so long, and for what its scope says. The host keeps none of them. A ticket holds the
// client's proof, sealed, and not its result: who brings it is proven anew. It says
// nothing about permission.
type Tickets struct {
	Keeper *secret.Keeper
	Now    func() time.Time
}

// maxTicket bounds a ticket that is looked at, in bytes.
const maxTicket = 32 << 10

// ticketPlace keeps these tickets apart from others that the keeper seals.
const ticketPlace = "authn: scoped ticket"

// ticket is the sealed text.
type ticket struct {
	User     string `json:"u,omitempty"`
	Password string `json:"p,omitempty"`
	KeyID    string `json:"i,omitempty"`
	Key      []byte `json:"k,omitempty"`
	Scope    string `json:"s"`
	Expires  int64  `json:"e"` // seconds since 1970
}

// Issue makes a ticket, in the alphabet of URLs.
func (t *Tickets) Issue(p Proof, scope string, life time.Duration) (string, error) {
	text, err := json.Marshal(ticket{
		User: p.user, Password: p.password.Reveal(), KeyID: p.keyID, Key: p.key,
		Scope: scope, Expires: t.Now().Add(life).Unix(),
	})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(t.Keeper.SealTicket(secret.NewText(string(text)), ticketPlace)), nil
}

// Open returns what is in a ticket. One that was changed, made elsewhere or is too old
// is [ErrUnknown], like every other credential that proves nothing.
func (t *Tickets) Open(text string) (p Proof, scope string, err error) {
	if len(text) > maxTicket {
		return Proof{}, "", ErrUnknown
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return Proof{}, "", ErrUnknown
	}
	plain, err := t.Keeper.OpenTicket(sealed, ticketPlace)
	if err != nil {
		return Proof{}, "", ErrUnknown
	}
	var in ticket
	if err := json.Unmarshal([]byte(plain.Reveal()), &in); err != nil {
		return Proof{}, "", ErrUnknown
	}
	if t.Now().Unix() >= in.Expires {
		return Proof{}, "", ErrUnknown
	}
	return Proof{user: in.User, password: secret.NewText(in.Password), keyID: in.KeyID, key: in.Key}, in.Scope, nil
}
