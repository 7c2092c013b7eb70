package authz

import "github.com/refward/refward/arn"

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
// whether the check carries it.
func (c Check) Value(key string) (string, bool) {
	for _, v := range c.Values {
		if v.Key == key && len(v.Values) == 1 {
			return v.Values[0], true
		}
	}
	return "", false
}
