package iam

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/secret"
)

// Session is temporary credentials as they are given away, once.
type Session struct {
	AccessKeyID string      // ASIA…
	Secret      secret.Text // the secret access key
	Token       secret.Text // the session token
	Expires     time.Time
}

var errNotAnAccessKey = errors.New("temporary credentials are made with an access key alone")

// IssueSession makes temporary credentials for a caller who came with an access key.
// They are nowhere stored: all that is needed to verify them is in their token, sealed.
//
// They end with the access key that they were made with: deactivated, deleted, or given
// another secret, and with the user. AWS lets them live on until they expire; whoever
// takes a key away that leaked means what was made of it as well.
func (s *Service) IssueSession(ctx context.Context, c authz.Caller, lifetime time.Duration) (Session, error) {
	if c.Credential.Kind != accessKeyKind || c.Principal.Session.Temporary() {
		return Session{}, errNotAnAccessKey
	}
	parent, holder, err := s.activeKey(ctx, c.Credential.ID)
	switch {
	case errors.Is(err, authn.ErrUnknown) || err == nil && holder.UserID != c.Principal.UserID:
		return Session{}, noPrincipal() // since the request was signed
	case err != nil:
		return Session{}, fmt.Errorf("look up access key %q: %w", c.Credential.ID, err)
	}
	made := Session{AccessKeyID: secret.NewID(secret.SessionKey), Secret: secret.NewAccessKeySecret(), Expires: s.now().Add(lifetime)}
	made.Token = s.sealSession(made.AccessKeyID, sessionClaims{
		userID: holder.UserID, parent: parent.ID, parentMark: mark(parent),
		issued: s.now(), expires: made.Expires, secret: made.Secret,
	})
	return made, nil
}

// SessionKey implements [authn.Source].
func (s *Service) SessionKey(ctx context.Context, accessKeyID, token string) (authn.SigningKey, error) {
	c, ok := s.openSession(accessKeyID, token)
	if !ok {
		return authn.SigningKey{}, authn.ErrUnknown
	}
	parent, holder, err := s.activeKey(ctx, c.parent)
	switch {
	case err != nil:
		return authn.SigningKey{}, err
	case holder.UserID != c.userID || subtle.ConstantTimeCompare([]byte(mark(parent)), []byte(c.parentMark)) != 1:
		return authn.SigningKey{}, authn.ErrUnknown
	case !s.Now().Before(c.expires):
		return authn.SigningKey{}, authn.ErrExpired
	}
	holder.Session = authz.Session{Issued: c.issued}
	id := authn.Identity{Principal: holder, Credential: authz.Credential{Kind: "session", ID: accessKeyID}}
	return authn.SigningKey{Identity: id, Secret: c.secret.Reveal()}, nil
}

// mark tells a key from another of the same ID: root's may be given anew with another
// secret.
func mark(k AccessKey) string {
	sum := sha256.Sum256(k.Sealed)
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}
