package authz

import (
	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/fault"
)

// Grant is proof that checks were decided and which of them were allowed. Only an
// [Authorizer] makes one; the zero Grant covers nothing.
type Grant struct {
	caller  Caller
	checks  []Check
	refused []*Denial // parallel to checks; nil where allowed
}

// Caller returns who was granted.
func (g Grant) Caller() Caller { return g.caller }

// Denial returns why the i-th check was refused, or nil when it was allowed. It
// is not nil for an index without a check, so that a miscount fails closed.
func (g Grant) Denial(i int) *Denial {
	if i < 0 || i >= len(g.checks) {
		return &Denial{Caller: g.caller}
	}
	return g.refused[i]
}

// Covers reports whether an allowed check of the grant has this action and
// resource and carries this condition key with exactly this value. Writers ask it
// before they act, so that a path that asked about another ref is refused.
func (g Grant) Covers(action string, resource arn.ARN, key, value string) bool {
	for i, c := range g.checks {
		if g.refused[i] != nil || c.Action != action || c.Resource != resource {
			continue
		}
		if v, ok := c.Value(key); ok && v == value {
			return true
		}
	}
	return false
}

// CoversAction reports whether an allowed check of the grant has this action on
// this resource, whatever its condition keys.
func (g Grant) CoversAction(action string, resource arn.ARN) bool {
	for i, c := range g.checks {
		if g.refused[i] == nil && c.Action == action && c.Resource == resource {
			return true
		}
	}
	return false
}

// fault returns the refusal of the first refused check as a fault, or nil.
func (g Grant) fault() *fault.Fault {
	for _, d := range g.refused {
		if d != nil {
			return d.Fault()
		}
	}
	return nil
}
