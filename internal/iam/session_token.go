package iam

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/refward/refward/internal/secret"
)

// maxSessionToken bounds the session token of a request, in bytes. Ours have some 300,
// and a few hundred more where root's access key was given a long ID.
const maxSessionToken = 1 << 10

// sessionClaims is what a session token says: fields separated by blanks, none of which
// has one, in this order, after the version.
type sessionClaims struct {
	userID     string // whose session it is; the account's ID for root
	parent     string // the access key that it was made with
	parentMark string // see mark
	issued     time.Time
	expires    time.Time
	secret     secret.Text // the secret access key
}

const (
	sessionVersion = "1"
	sessionFields  = 7
)

// tokenEncoding has no character that a URL or a user name of Git would have to escape.
var tokenEncoding = base64.RawURLEncoding.Strict()

// sessionPlace is where a session token may be opened: beside its own access key ID.
func sessionPlace(account, keyID string) string { return account + "/session/" + keyID }

func (s *Service) sealSession(keyID string, c sessionClaims) secret.Text {
	text := strings.Join([]string{
		sessionVersion, c.userID, c.parent, c.parentMark,
		strconv.FormatInt(c.issued.Unix(), 10), strconv.FormatInt(c.expires.Unix(), 10), c.secret.Reveal(),
	}, " ")
	return secret.NewText(tokenEncoding.EncodeToString(s.Keeper.SealTicket(secret.NewText(text), sessionPlace(s.Account, keyID))))
}

// openSession reads the token that came with an access key ID, and reports whether it
// was made here, for this ID. One made under a master key that was lost since is like
// any other text.
func (s *Service) openSession(keyID, token string) (sessionClaims, bool) {
	if len(token) > maxSessionToken || strings.ContainsAny(token, "\r\n") { // which the decoder would skip
		return sessionClaims{}, false
	}
	sealed, err := tokenEncoding.DecodeString(token)
	if err != nil {
		return sessionClaims{}, false
	}
	plain, err := s.Keeper.OpenTicket(sealed, sessionPlace(s.Account, keyID))
	if err != nil {
		return sessionClaims{}, false
	}
	return parseSession(plain)
}

func parseSession(plain secret.Text) (sessionClaims, bool) {
	f := strings.Split(plain.Reveal(), " ")
	if len(f) != sessionFields || f[0] != sessionVersion {
		return sessionClaims{}, false
	}
	issued, err := strconv.ParseInt(f[4], 10, 64)
	if err != nil {
		return sessionClaims{}, false
	}
	expires, err := strconv.ParseInt(f[5], 10, 64)
	if err != nil {
		return sessionClaims{}, false
	}
	return sessionClaims{
		userID: f[1], parent: f[2], parentMark: f[3],
		issued: time.Unix(issued, 0).UTC(), expires: time.Unix(expires, 0).UTC(), secret: secret.NewText(f[6]),
	}, true
}
