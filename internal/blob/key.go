package blob

import (
	"errors"
	"fmt"
	"strings"
)

// ErrKey is returned, wrapped, for a key that no store accepts.
var ErrKey = errors.New("invalid blob key")

// maxKeyLen is the longest key, in bytes: S3's limit.
const maxKeyLen = 1024

// CheckKey reports whether key is slash-separated components of [A-Za-z0-9._-], none
// of them "." or "..". Drivers call it before they do anything else.
func CheckKey(key string) error {
	if len(key) > maxKeyLen {
		return fmt.Errorf("%w: longer than %d bytes", ErrKey, maxKeyLen)
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("%w: %q has the component %q", ErrKey, key, part)
		}
	}
	if i := strings.IndexFunc(key, notInKeys); i >= 0 {
		return fmt.Errorf("%w: %q has a byte that is not a letter, digit, dot, underscore or hyphen", ErrKey, key)
	}
	return nil
}

// CheckPrefix reports whether a key can begin with prefix.
func CheckPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	// With a letter behind it, what is cut off in mid-component is a component.
	return CheckKey(prefix + "x")
}

func notInKeys(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("/._-", r)
}
