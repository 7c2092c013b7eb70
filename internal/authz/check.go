package authz

import (
	"strings"

	"github.com/refward/refward/arn"
)

// Value is one condition key of a check with its values, for example
// codecommit:References with refs/heads/main. A key that does not apply is left
// out, never given empty: policies tell the two apart.
type Value struct {
	Key    string
	Values []string
}

// Check is one thing that must be allowed: an action on a resource, with the
// condition keys that the action carries here. Global keys (aws:…) are added by
// the [Authorizer].
type Check struct {
	Action   string  // as IAM spells it: "codecommit:GitPush"
	Resource arn.ARN // the zero ARN for an action without a resource, which only "*" matches
	Values   []Value

	// Asks says that nothing is changed on the strength of the answer, though the action
	// writes: a later check decides about that. The entry then need not be on disk first.
	Asks bool

	// Way tells a refused caller what to do instead, for people; it decides
	// nothing. For example "push another branch and open a pull request".
	Way string
}

// ResourceText is the resource as policies see it: the ARN, or "*" without one.
func (c Check) ResourceText() string {
	if c.Resource == (arn.ARN{}) {
		return "*"
	}
	return c.Resource.String()
}

// Value returns the only value of a single-valued key of the check, and
// whether the check carries it. Keys are compared as policies do, without regard to
// case. A key that is listed twice has no only value: a policy sees just one of them.
func (c Check) Value(key string) (string, bool) {
	var found []string
	for _, v := range c.Values {
		if !strings.EqualFold(v.Key, key) {
			continue
		}
		if found != nil || len(v.Values) != 1 {
			return "", false
		}
		found = v.Values
	}
	if found == nil {
		return "", false
	}
	return found[0], true
}
