package conformance

import (
	"crypto/rand"
	"encoding/base64"
)

// noise is n bytes of text that no pack makes much smaller.
func noise(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)[:n]
}
