package authz

import (
	"slices"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/fault"
)

// Grant is proof that checks were decided and which of them were allowed. Only an
// [Authorizer] makes one; the zero Grant covers nothing.
type Grant struct {
	caller  Caller
	checks  []Check
	refused []*Denial // parallel to checks; nil where allowed

	byValue map[string][]int // which checks carry a value; nil where they are few
}

// fewChecks are gone through one by one. More are those of a push of many refs, each of
// which is asked about again.
const fewChecks = 16

// index notes which checks carry a value, where there are many.
func (g *Grant) index() {
	if len(g.checks) <= fewChecks {
		return
	}
	g.byValue = make(map[string][]int, len(g.checks))
	for i, c := range g.checks {
		for _, v := range c.Values {
			for _, text := range v.Values {
				g.byValue[text] = append(g.byValue[text], i)
			}
		}
	}
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
	if g.byValue == nil {
		for i := range g.checks {
			if g.covers(i, action, resource, key, value) {
				return true
			}
		}
		return false
	}
	return slices.ContainsFunc(g.byValue[value], func(i int) bool { return g.covers(i, action, resource, key, value) })
}

// covers is Covers of one check.
func (g Grant) covers(i int, action string, resource arn.ARN, key, value string) bool {
	c := g.checks[i]
	if g.refused[i] != nil || c.Action != action || c.Resource != resource {
		return false
	}
	v, ok := c.Value(key)
	return ok && v == value
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
