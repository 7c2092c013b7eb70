package secret

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
)

// Prefix says what an identifier names (IAM User Guide, "IAM identifiers").
type Prefix string

// The prefixes of IAM's unique identifiers.
const (
	AccessKey         Prefix = "AKIA"
	SessionKey        Prefix = "ASIA" // the access key of temporary credentials
	User              Prefix = "AIDA"
	Group             Prefix = "AGPA"
	ServiceCredential Prefix = "ACCA"
)

// NewID returns a new unique identifier: the prefix and then random upper-case
// base 32 digits, 20 characters for an access key ID and 21 for everything else, as
// in AWS. It has at least 80 random bits and is not secret.
func NewID(p Prefix) string {
	n := 21
	if p == AccessKey || p == SessionKey {
		n = 20
	}
	random := make([]byte, 11) // 88 bits: 17 digits and a rest
	rand.Read(random)
	return (string(p) + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(random))[:n]
}

// NewAccessKeySecret returns a secret access key: 40 characters of the base64
// alphabet, 240 random bits.
func NewAccessKeySecret() Text { return randomText(30) }

// NewGitPassword returns the password of a service-specific credential: 44
// characters, the base64 of 256 random bits.
func NewGitPassword() Text { return randomText(32) }

func randomText(bytes int) Text {
	b := make([]byte, bytes)
	rand.Read(b) // never fails: it ends the program rather than return less
	return Text{base64.StdEncoding.EncodeToString(b)}
}
