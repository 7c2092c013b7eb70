package authn

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
)

// Verifier proves who is asking. Its fields are set once, before use; it is safe for
// concurrent use.
type Verifier struct {
	Source Source
	Region string // the host's
	Now    func() time.Time
}

// Signed is a request whose claim is well-formed, current and made with a key that is
// known; the signature is yet to be checked against the body's hash.
type Signed struct {
	Service string // of the credential scope: "iam", "sts", "codecommit"
	Region  string // of the credential scope

	identity  Identity
	key       signingKey
	date      string // of the string to sign
	canonical canonicalRequest
	declared  []string // what the request itself says of the body's hash
	signature string   // as the client computed it, in hexadecimal
}

// SigV4 reads the Authorization header or the presigned query, makes every check that
// needs no body, in AWS's order, and looks the key up, so that an unknown caller costs
// little. services are the signing names that the caller may use here.
//
// Refusals are faults of the common codes MissingAuthenticationToken,
// IncompleteSignature, SignatureDoesNotMatch, InvalidClientTokenId and ExpiredToken; any
// other error is a failure of the source.
func (v *Verifier) SigV4(ctx context.Context, r *http.Request, services ...string) (*Signed, error) {
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	c, err := readClaim(r, query)
	if err != nil {
		return nil, err
	}
	if err := c.checkClock(v.Now()); err != nil {
		return nil, err
	}
	s, err := parseScope(c.credential)
	if err != nil {
		return nil, err
	}
	if err := s.check(c.at, v.Region, services); err != nil {
		return nil, err
	}
	names, err := c.headerNames(r)
	if err != nil {
		return nil, err
	}
	key, err := v.signingKey(ctx, s.keyID, c.tokens)
	if err != nil {
		return nil, err
	}
	return &Signed{
		Service:   s.service,
		Region:    s.region,
		identity:  key.Identity,
		key:       deriveKey(key.Secret, s),
		date:      c.at.Format(isoBasic),
		canonical: canonicalise(r, query, names),
		declared:  c.bodyHashes,
		signature: c.signature,
	}, nil
}

// signingKey looks up the key of a claim. A token says that the credentials are
// temporary, whatever the ID looks like: neither kind is taken for the other.
func (v *Verifier) signingKey(ctx context.Context, keyID string, tokens []string) (SigningKey, error) {
	key, err := v.lookUp(ctx, keyID, tokens)
	switch {
	case errors.Is(err, ErrUnknown):
		return SigningKey{}, unknownKey()
	case errors.Is(err, ErrExpired):
		return SigningKey{}, fault.ExpiredToken.New("The security token included in the request is expired")
	case err != nil:
		return SigningKey{}, fmt.Errorf("look up access key %q: %w", keyID, err)
	}
	return key, nil
}

// lookUp asks the source for a long-term key, or with a token for that of temporary
// credentials.
func (v *Verifier) lookUp(ctx context.Context, keyID string, tokens []string) (SigningKey, error) {
	switch len(tokens) {
	case 0:
		return v.Source.SigningKey(ctx, keyID)
	case 1:
		return v.Source.SessionKey(ctx, keyID, tokens[0])
	default:
		return SigningKey{}, ErrUnknown
	}
}

func unknownKey() error {
	return fault.InvalidClientTokenID.New("The security token included in the request is invalid.")
}

// Claimed returns whom the claim is of. Nothing of it is proven yet.
func (s *Signed) Claimed() authz.Principal { return s.identity.Principal }

// Verify checks the signature against the SHA-256 of the body that was read, in time
// that does not depend on where the signatures differ.
func (s *Signed) Verify(body [sha256.Size]byte) (Identity, error) {
	if !s.matches(body) {
		return Identity{}, fault.SignatureDoesNotMatch.New("The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return s.identity, nil
}

func (s *Signed) matches(body [sha256.Size]byte) bool {
	payload := hex.EncodeToString(body[:])
	for _, d := range s.declared {
		if d != payload {
			return false
		}
	}
	equal := 0
	for _, path := range s.canonical.paths {
		equal |= same(s.key.sign(s.date, s.canonical.text(path, payload)), s.signature)
	}
	return equal == 1
}
