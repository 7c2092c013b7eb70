package secret

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
)

// redacted stands for a secret wherever one would print.
const redacted = "[secret]"

// Text is a secret text. It prints as "[secret]" by whatever verb or logger, and
// refuses to be encoded as JSON, text or gob; only [Text.Reveal] gives it away.
type Text struct{ s string }

// NewText makes a secret of s.
func NewText(s string) Text { return Text{s} }

// Reveal returns the secret itself, for the one who is meant to have it.
func (t Text) Reveal() string { return t.s }

// IsZero reports whether there is no secret.
func (t Text) IsZero() bool { return t.s == "" }

// Equal compares in time that does not depend on where the texts differ.
func (t Text) Equal(s string) bool {
	return subtle.ConstantTimeCompare([]byte(t.s), []byte(s)) == 1
}

// String returns "[secret]".
func (t Text) String() string { return redacted }

// GoString returns "[secret]".
func (t Text) GoString() string { return redacted }

// Format prints "[secret]" for every verb.
func (t Text) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue returns "[secret]".
func (t Text) LogValue() slog.Value { return slog.StringValue(redacted) }

var errEncoded = errors.New("a secret must not be encoded")

// MarshalText refuses, and with it encoding/json and encoding/xml.
func (t Text) MarshalText() ([]byte, error) { return nil, errEncoded }

// GobEncode refuses.
func (t Text) GobEncode() ([]byte, error) { return nil, errEncoded }
