package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// signatureSize is the length in bytes of a token's signature: 128 bits are enough for
// what lives as long as a listing.
const signatureSize = 16

// Token returns text signed for a purpose, in the alphabet of URLs, for a client to hand
// back: where the next page of a listing begins. The text is not hidden.
func (k *Keeper) Token(purpose, text string) string {
	return base64.RawURLEncoding.EncodeToString(append(k.current.signature(purpose, text), text...))
}

// TokenText returns the text of a token, and whether Token made it for this purpose.
func (k *Keeper) TokenText(purpose, token string) (string, bool) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) < signatureSize {
		return "", false
	}
	text := string(b[signatureSize:])
	for _, m := range k.byID {
		if hmac.Equal(b[:signatureSize], m.signature(purpose, text)) {
			return text, true
		}
	}
	return "", false
}

func (m *masterKey) signature(purpose, text string) []byte {
	mac := hmac.New(sha256.New, m.sign)
	// The length keeps ("ab", "c") and ("a", "bc") apart.
	fmt.Fprintf(mac, "%d:%s%s", len(purpose), purpose, text)
	return mac.Sum(nil)[:signatureSize]
}
