package hosttest

import (
	"crypto/rand"
	"encoding/base64"
)

// Noise returns n bytes of text that no pack makes much smaller.
func Noise(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)[:n]
}
