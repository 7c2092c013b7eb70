package policycmd

import (
	"fmt"

	"github.com/refward/refward/policy"
)

// maxKeys is how many condition keys a request may carry; real ones have some thirty.
const maxKeys = 1000

// readContext sets the condition keys of a JSON object: a string, a number or a boolean
// is one value, a list several. A key with an empty list is one that the request does
// not carry.
func readContext(object []byte, to *policy.Context) error {
	n := 0
	return members(object, func(key string, value []byte) error {
		if n++; n > maxKeys {
			return fmt.Errorf("the context has more than %d keys", maxKeys)
		}
		if len(to.Values(key)) > 0 {
			return fmt.Errorf("the context has %q twice: names are the same in upper and lower case", key)
		}
		if value[0] != '[' {
			one, err := contextValue(key, value)
			to.Set(key, one)
			return err
		}
		var values []string
		err := items(value, func(item []byte) error {
			one, err := contextValue(key, item)
			values = append(values, one)
			return err
		})
		to.Set(key, values...)
		return err
	})
}

func contextValue(key string, value []byte) (string, error) {
	switch value[0] {
	case '"':
		text, ok := textOf(value)
		if !ok {
			return "", fmt.Errorf("the value of %q cannot be read", key)
		}
		return text, nil
	case 'n':
		return "", fmt.Errorf("the value of %q is null: leave out a key that the request does not carry", key)
	case '{', '[':
		return "", fmt.Errorf("the value of %q is neither a string nor a list of strings", key)
	default:
		return string(value), nil
	}
}
