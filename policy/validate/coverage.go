package validate

import (
	"slices"
	"strings"

	"github.com/refward/refward/policy"
)

// mostComparisons bounds the work on pairs of statements and entries.
const mostComparisons = 50_000

// comparisons counts down. When it is at an end nothing more is called covered.
type comparisons int

func (n *comparisons) spend() bool {
	*n--
	return *n >= 0
}

// checkCoverage finds entries that another entry of their list covers, statements that
// another statement covers, and Allows that a Deny covers.
func (c *checker) checkCoverage() {
	left := comparisons(mostComparisons)
	for i := range c.statements {
		c.checkLists(&c.statements[i], &left)
	}
	for i := range c.statements {
		s := &c.statements[i]
		c.checkUnreachable(s, &left)
		for j := range c.statements {
			t := &c.statements[j]
			if i == j || s.deny != t.deny || !c.coversAll(t, s, &left) {
				continue
			}
			if j > i && c.coversAll(s, t, &left) {
				continue // the same; the later one is told
			}
			c.add(RedundantStatement, Suggestion, s.node, mend("take it out", removeItem(s.node)...),
				"statement %d %s everything that this one does", t.number, t.verb())
			break
		}
	}
}

// checkLists looks inside the lists of one statement.
func (c *checker) checkLists(s *statement, left *comparisons) {
	for i := range s.actions {
		for j := range s.actions {
			a, b := &s.actions[i], &s.actions[j]
			if i == j || !left.spend() || !b.includes(a) || i < j && a.includes(b) {
				continue
			}
			c.add(RedundantAction, Suggestion, a.node, mend("take it out", removeItem(a.node)...),
				"%q of the same list covers %q", clip(b.node.text), clip(a.node.text))
			break
		}
	}
	for i := range s.resources {
		// What a variable without a value excludes is contested, whatever else does.
		contested := s.notResource && strings.Contains(s.resources[i].arn.source, "${")
		for j := range s.resources {
			a, b := &s.resources[i], &s.resources[j]
			if i == j || contested || !left.spend() || !b.arn.includes(&a.arn) || i < j && a.arn.includes(&b.arn) {
				continue
			}
			c.add(RedundantResource, Suggestion, a.node, mend("take it out", removeItem(a.node)...),
				"%q of the same list covers %q", clip(b.node.text), clip(a.node.text))
			break
		}
	}
}

// includes reports whether the entry matches every action that o matches. What a
// contested entry matches is not known.
func (a *actionEntry) includes(o *actionEntry) bool {
	return strings.EqualFold(a.node.text, o.node.text) || !a.odd && a.glob.includes(o.glob)
}

// checkUnreachable: an Allow of which a Deny of the same document covers everything,
// or some actions. Against a Deny no Allow counts.
func (c *checker) checkUnreachable(s *statement, left *comparisons) {
	if s.deny {
		return
	}
	var deniers []*statement
	for i := range c.statements {
		if t := &c.statements[i]; t.deny && left.spend() && c.coversRest(t, s) {
			if c.coversActions(t, s, left) {
				c.add(UnreachableStatement, Warning, s.node, mend("take it out", removeItem(s.node)...),
					"statement %d denies everything that this one allows", t.number)
				return
			}
			deniers = append(deniers, t)
		}
	}
	if s.notAction {
		return
	}
	for i := range s.actions {
		e := &s.actions[i]
		for _, t := range deniers {
			if coversEntry(t, e, left) {
				c.add(UnreachableAction, Warning, e.node, mend("take it out", removeItem(e.node)...),
					"statement %d denies %s wherever this one allows it", t.number, e.node.text)
				break
			}
		}
	}
}

// coversAll reports whether t applies to every request that s applies to.
func (c *checker) coversAll(t, s *statement, left *comparisons) bool {
	return left.spend() && c.coversRest(t, s) && c.coversActions(t, s, left)
}

func (c *checker) coversRest(t, s *statement) bool {
	return c.coversPrincipals(t, s) && c.coversResources(t, s) && c.coversConditions(t, s)
}

// coversActions compares the Action elements.
func (c *checker) coversActions(t, s *statement, left *comparisons) bool {
	if s.notAction {
		everything := !t.notAction && slices.ContainsFunc(t.actions, func(e actionEntry) bool { return e.service == "" })
		return everything || t.notAction && within(t.actions, s.actions, left)
	}
	for i := range s.actions {
		if !coversEntry(t, &s.actions[i], left) {
			return false
		}
	}
	return true
}

// within reports whether every entry of inner is covered by one of outer.
func within(inner, outer []actionEntry, left *comparisons) bool {
	for i := range inner {
		if !slices.ContainsFunc(outer, func(o actionEntry) bool { return left.spend() && o.includes(&inner[i]) }) {
			return false
		}
	}
	return true
}

// coversEntry reports whether t speaks about every action that an entry matches.
func coversEntry(t *statement, e *actionEntry, left *comparisons) bool {
	for i := range t.actions {
		o := &t.actions[i]
		if !left.spend() {
			return false
		}
		if t.notAction && o.glob.meets(e.glob) {
			return false
		}
		if !t.notAction && o.includes(e) {
			return true
		}
	}
	return t.notAction
}

// coversPrincipals compares the Principal elements. Callers are reached in different
// ways by different entries, so only the same entries and everyone count.
func (c *checker) coversPrincipals(t, s *statement) bool {
	if t.principal == nil || s.principal == nil {
		return t.principal == nil && s.principal == nil
	}
	same := func(inner, outer []principal) bool {
		for _, p := range inner {
			if !slices.ContainsFunc(outer, func(o principal) bool { return o.typ == p.typ && o.name == p.name }) {
				return false
			}
		}
		return true
	}
	switch {
	case t.notPrincipal:
		return s.notPrincipal && same(t.principals, s.principals) && same(s.principals, t.principals)
	case slices.ContainsFunc(t.principals, func(p principal) bool { return p.typ == "*" }):
		return true
	default:
		return !s.notPrincipal && same(s.principals, t.principals)
	}
}

// coversResources compares the Resource elements.
func (c *checker) coversResources(t, s *statement) bool {
	if c.kind == policy.Trust {
		return true
	}
	const most = 64
	if len(t.resources) > most || len(s.resources) > most {
		return false
	}
	covered := func(inner []resourceEntry, outer []resourceEntry) bool {
		for i := range inner {
			if !slices.ContainsFunc(outer, func(o resourceEntry) bool { return o.arn.includes(&inner[i].arn) }) {
				return false
			}
		}
		return true
	}
	switch {
	case !t.notResource && !s.notResource:
		return covered(s.resources, t.resources)
	case !t.notResource:
		return slices.ContainsFunc(t.resources, func(r resourceEntry) bool { return r.arn.every })
	case slices.ContainsFunc(t.resources, func(r resourceEntry) bool { return strings.Contains(r.arn.source, "${") }):
		return false // what a variable without a value excludes is contested
	case s.notResource:
		return covered(t.resources, s.resources)
	default:
		for i := range s.resources {
			if slices.ContainsFunc(t.resources, func(o resourceEntry) bool { return o.arn.every || o.arn.meets(&s.resources[i].arn) }) {
				return false
			}
		}
		return true
	}
}

// coversConditions reports whether the conditions of t hold whenever those of s do.
func (c *checker) coversConditions(t, s *statement) bool {
	const most = 32
	if len(t.conditions) > most || len(s.conditions) > most {
		return false
	}
	for i := range t.conditions {
		q := &t.conditions[i]
		if !slices.ContainsFunc(s.conditions, func(p condition) bool { return p.implies(q) }) {
			return false
		}
	}
	return true
}

// implies reports whether q holds whenever p does. Both are on one key.
func (k *condition) implies(q *condition) bool {
	if !strings.EqualFold(k.node.name, q.node.name) {
		return false
	}
	a, b := k.operator, q.operator
	if b.Family == policy.NullFamily && b.Set == policy.NoSet && a.Family != policy.NullFamily {
		return len(q.values) == 1 && q.asks("false") && k.needsKey()
	}
	const most = 64
	if a.Family != b.Family || a.Set != b.Set || a.Negated != b.Negated || a.Contested || b.Contested ||
		len(k.values) > most || len(q.values) > most {
		return false
	}
	if a.Base == b.Base && a.IfExists == b.IfExists && k.sameValues(q) {
		return true
	}
	switch {
	case len(k.values) == 0 || len(q.values) == 0:
		return false // an empty list is contested
	case a.IfExists != b.IfExists && (a.IfExists || a.Set != policy.NoSet || a.Negated):
		return false
	case a.Family == policy.StringFamily && a.IgnoreCase && !b.IgnoreCase && !a.Negated, a.Family == policy.StringFamily && b.IgnoreCase && !a.IgnoreCase && a.Negated:
		return false
	case a.Family != policy.StringFamily && a.Base != b.Base:
		return false
	case a.Negated:
		return q.valuesWithin(k)
	default:
		return k.valuesWithin(q)
	}
}

// needsKey reports whether the condition holds only for requests that carry the key
// with a value that is not empty.
func (k *condition) needsKey() bool {
	op := k.operator
	if op.IfExists || op.Negated || op.Family != policy.StringFamily || op.Set != policy.NoSet || len(k.values) == 0 {
		return false
	}
	for _, g := range k.globs {
		if !slices.ContainsFunc(g, func(r rune) bool { return r >= 0 || r == oneChar }) {
			return false
		}
	}
	return true
}

func (k *condition) sameValues(o *condition) bool {
	in := func(inner, outer []*node) bool {
		for _, v := range inner {
			if !slices.ContainsFunc(outer, func(w *node) bool { return v.text == w.text }) {
				return false
			}
		}
		return true
	}
	return in(k.values, o.values) && in(o.values, k.values)
}

// valuesWithin reports whether every value of k is covered by one of o.
func (k *condition) valuesWithin(o *condition) bool {
	for i, v := range k.values {
		ok := false
		for j, w := range o.values {
			switch {
			case k.globs == nil:
				ok = ok || v.text == w.text && k.operator.Base == o.operator.Base
			case k.operator.IgnoreCase && !o.operator.IgnoreCase || o.operator.IgnoreCase && !k.operator.IgnoreCase:
				ok = ok || v.text == w.text
			default:
				ok = ok || o.globs[j].includes(k.globs[i])
			}
		}
		if !ok {
			return false
		}
	}
	return true
}
