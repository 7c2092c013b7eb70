package validate

import (
	"slices"
	"strings"
	"sync"

	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/catalog"
)

// listedKeys are the keys, by service, that some action of it lists. Of a global key
// that is listed, such as aws:RequestTag, the other actions carry none.
var listedKeys = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, a := range actions().all {
		for _, k := range a.Keys {
			out[a.Service()+" "+k] = true
		}
	}
	return out
})

// carries reports whether a request for the action may carry the key.
func carries(a *action, k *catalog.ConditionKey) bool {
	if slices.Contains(a.Keys, k.Name) {
		return true
	}
	service := a.Service()
	return k.Global && !listedKeys()[service+" "+k.Name]
}

// holdsWithout reports whether the condition holds for a request without the key. What
// is contested is read as package policy does: a Deny applies, an Allow does not.
func (k *condition) holdsWithout(s *statement) bool {
	op := k.operator
	switch {
	case op.Set == policy.ForAllValues:
		return true
	case op.Family == policy.NullFamily:
		if op.Set == policy.ForAnyValue {
			return false
		}
		asksTrue := k.asks("true")
		odd := slices.ContainsFunc(k.values, func(v *node) bool { return v.text != "true" && v.text != "false" })
		return asksTrue || s.deny && (odd || len(k.values) == 0)
	case op.Set == policy.ForAnyValue:
		return op.IfExists && s.deny
	case op.IfExists:
		return true
	case len(k.values) == 0:
		return s.deny
	default:
		return op.Negated
	}
}

// asks reports whether a Null condition has the value.
func (k *condition) asks(text string) bool {
	return slices.ContainsFunc(k.values, func(v *node) bool { return v.text == text })
}

// without answers for all conditions on a key together: whether there is one, and
// whether they hold for a request without the key.
func (s *statement) without(key string) (asked, holds bool) {
	holds = true
	for i := range s.conditions {
		if k := &s.conditions[i]; strings.EqualFold(k.node.name, key) {
			asked = true
			holds = holds && k.holdsWithout(s)
		}
	}
	return asked, holds
}

// firstOf reports whether no condition before k is on the same key.
func (s *statement) firstOf(k *condition) bool {
	for i := range s.conditions {
		if o := &s.conditions[i]; strings.EqualFold(o.node.name, k.node.name) {
			return o == k
		}
	}
	return false
}

// deciding returns the condition on k's key that fails without the key, or k.
func (s *statement) deciding(k *condition) *condition {
	for i := range s.conditions {
		if o := &s.conditions[i]; strings.EqualFold(o.node.name, k.node.name) && !o.holdsWithout(s) {
			return o
		}
	}
	return k
}

func (c *checker) checkConditions(s *statement) {
	if s.condition == nil {
		return
	}
	if len(s.condition.children) == 0 {
		c.add(EmptyCondition, Suggestion, s.condition, mend("take it out", removeMember(s.condition)...),
			"the condition is empty and always holds")
	}
	for _, op := range s.condition.children {
		c.checkOperatorName(s, op)
	}
	for i := range s.conditions {
		k := &s.conditions[i]
		if s.firstOf(k) {
			c.checkKey(s, s.deciding(k))
		}
		c.checkValues(s, k)
		c.checkOperatorFits(s, k)
	}
	c.checkTogether(s)
	c.checkMFA(s)
}

func (c *checker) checkOperatorName(s *statement, op *node) {
	operator, known := policy.ParseOperator(op.name)
	switch {
	case !known:
		c.addName(EmptyUnknownOperator, Warning, op, respellName(op, nearestOperator(op.name)),
			"there is no condition operator %q; it is accepted only because it stands over no key", op.name)
	case operator.Contested:
		c.addName(OperatorSpelling, Warning, op, respellName(op, operator.String()),
			"whether %q counts is contested: the operator is written %s", op.name, operator)
	}
	if known && len(op.children) == 0 {
		idle := op
		if len(op.parent.children) == 1 {
			idle = op.parent
		}
		c.addName(EmptyCondition, Suggestion, op, mend("take it out", removeMember(idle)...),
			"the operator stands over no key and asks nothing")
	}
	for i, k := range op.children {
		for _, earlier := range op.children[:i] {
			if strings.EqualFold(k.name, earlier.name) {
				c.addName(KeyCaseRepeated, Warning, k, nil,
					"%s is the same key as %s: both conditions must hold", k.name, earlier.name)
				break
			}
		}
	}
}

// foreignKey reports whether a key that the catalog lacks may be real: that of an
// identity provider in a trust policy, or for AWS of another service.
func (c *checker) foreignKey(name string) bool {
	prefix, _, found := strings.Cut(name, ":")
	if !found {
		return false
	}
	if c.kind == policy.Trust && strings.ContainsAny(prefix, "./") {
		return true
	}
	if c.opt.Target != AWS {
		return false
	}
	switch prefix = strings.ToLower(prefix); prefix {
	case "aws", "refward", "saml":
		return false
	default:
		return !slices.Contains(catalog.Services(), prefix)
	}
}

func (c *checker) nearestKey(name string) string {
	if !c.mayGuess() {
		return ""
	}
	stem, tag, tagged := strings.Cut(name, "/")
	better := nearest(stem, func(yield func(string) bool) {
		for _, k := range catalog.Keys() {
			candidate, _, template := strings.Cut(k.Name, "/")
			if template == tagged && !yield(candidate) {
				return
			}
		}
	})
	if better != "" && tagged {
		better += "/" + tag
	}
	return better
}

// checkKey: whether the key exists, and whether the statement's actions carry it.
func (c *checker) checkKey(s *statement, k *condition) {
	switch {
	case !k.known && c.foreignKey(k.node.name):
	case !k.known:
		m := respellName(k.node, c.nearestKey(k.node.name))
		c.addName(UnknownConditionKey, c.missingSeverity(s, k), k.node, m,
			"there is no condition key %q: no request carries it, and so %s", k.node.name, k.consequence(s))
	default:
		if k.key.Extension && c.opt.Target == AWS {
			c.addName(ExtensionKey, c.missingSeverity(s, k), k.node, nil,
				"%s is an extension that AWS does not know: there, no request carries it, and %s", k.key.Name, k.consequence(s))
		}
		if !s.notAction {
			c.checkCarried(s, k)
		}
	}
}

func (c *checker) missingSeverity(s *statement, k *condition) Severity {
	if k.holdsWithout(s) {
		return s.severity(always)
	}
	return s.severity(never)
}

// consequence words what the condition makes of a request without the key.
func (k *condition) consequence(s *statement) string {
	op := k.operator
	why := op.Base
	switch {
	case op.Set == policy.ForAllValues:
		why = "ForAllValues"
	case op.IfExists:
		why = ifExists
	case op.Family == policy.NullFamily && k.asks("true"):
		why = `Null "true"`
	case op.Family == policy.NullFamily:
		why = `Null "false"`
	}
	if k.holdsWithout(s) {
		return why + " always holds"
	}
	return why + " never holds and the statement never " + s.verb()
}

// checkCarried looks at every action entry: its actions may carry the key, or not.
func (c *checker) checkCarried(s *statement, k *condition) {
	if k.key.Global && !k.isListed() {
		return
	}
	_, holds := s.without(k.node.name)
	for i := range s.actions {
		e := &s.actions[i]
		var without []*action
		for _, a := range e.covers {
			if !carries(a, &k.key) {
				without = append(without, a)
			}
		}
		switch {
		case len(without) == 0:
		case len(without) == len(e.covers):
			c.addName(KeyNeverCarried, c.missingSeverity(s, k), k.node, mend("put "+e.node.text+" into a statement of its own"),
				"%s never carries %s: for it, %s", e.node.text, k.node.name, k.consequence(s))
		case s.deny && holds && k.operator.Family != policy.NullFamily:
			c.addName(DeniesWithoutKey, Warning, k.node, s.requireKey(k.node.name),
				"%s never carry %s, which %s also covers: for them %s, and they are denied", names(without), k.node.name, e.node.text, k.consequence(s))
		}
	}
}

// isListed reports whether some action lists the key as its own.
func (k *condition) isListed() bool {
	return slices.ContainsFunc(catalog.Services(), func(s string) bool { return listedKeys()[s+" "+k.key.Name] })
}

// checkOperatorFits: whether the operator is meant for the key's type, and for as
// many values as it has.
func (c *checker) checkOperatorFits(s *statement, k *condition) {
	op := k.operator
	if op.Family == policy.NullFamily {
		if op.Set != policy.NoSet {
			c.addName(NullWithSetOperator, Warning, k.opNode, k.use(policy.Operator{Base: "Null", Family: policy.NullFamily}),
				"%sNull does not ask whether the key is there: it is always %t", op.Set, op.Set == policy.ForAllValues)
		}
		return
	}
	if k.known {
		c.checkQuantity(s, k)
		c.checkType(s, k)
	}
}

func (c *checker) checkQuantity(s *statement, k *condition) {
	op := k.operator
	plain := op
	plain.Set = policy.NoSet
	_, withoutKey := s.without(k.node.name)
	switch {
	case op.Set == policy.NoSet && k.key.Multi:
		c.addName(MissingSetOperator, Warning, k.node, mend("put ForAnyValue: or ForAllValues: before the operator"),
			"a request may carry several values of %s; what %s does with them is contested", k.key.Name, op)
	case op.Set == policy.ForAllValues && !s.deny && withoutKey:
		// A set operator in front of a single-valued key is the same trap.
		c.addName(ForAllValuesWithoutNull, SecurityWarning, k.node, s.requireKey(k.node.name),
			"ForAllValues holds for a request without %s, which the statement then allows", k.node.name)
		if !k.key.Multi {
			c.addName(SetOperatorOnSingleKey, SecurityWarning, k.opNode, k.use(plain),
				"%s has one value: ForAllValues adds only that the condition holds without the key", k.key.Name)
		}
	case op.Set != policy.NoSet && !k.key.Multi:
		severity := Suggestion
		if op.Set == policy.ForAllValues {
			severity = s.severity(always)
		}
		c.addName(SetOperatorOnSingleKey, severity, k.opNode, k.use(plain),
			"%s has one value and needs no %s", k.key.Name, strings.TrimSuffix(op.Set.String(), ":"))
	}
}

// keyFamilies are the operators that are meant for a type of key. Those of dates
// compare seconds since 1970 too, which is how a numeric key tells the time.
var keyFamilies = map[catalog.KeyType][]policy.OperatorFamily{
	catalog.String:    {policy.StringFamily},
	catalog.Bool:      {policy.BoolFamily},
	catalog.Date:      {policy.DateFamily},
	catalog.Numeric:   {policy.NumericFamily, policy.DateFamily},
	catalog.IPAddress: {policy.AddressFamily},
	catalog.ARN:       {policy.ARNFamily},
	catalog.Binary:    {policy.BinaryFamily},
}

func (c *checker) checkType(s *statement, k *condition) {
	op := k.operator
	if slices.Contains(keyFamilies[k.key.Type], op.Family) {
		return
	}
	better, severity := "", Warning
	switch {
	case op.Family == policy.StringFamily && k.key.Type == catalog.IPAddress:
		better = either(op.Negated, "NotIpAddress", "IpAddress")
	case op.Family == policy.StringFamily && k.key.Type == catalog.ARN:
		better, severity = either(op.Negated, "ArnNotLike", "ArnLike"), Suggestion
	case op.Family == policy.StringFamily && k.key.Type == catalog.Bool:
		severity = Suggestion
		if !op.Negated {
			better = "Bool"
		}
	case op.Family == policy.ARNFamily && k.key.Type == catalog.String:
		better = either(op.Negated, "StringNotLike", "StringLike")
	case k.key.Type == catalog.String && op.Family != policy.BinaryFamily:
		better = either(op.Negated, "StringNotEquals", "StringEquals")
	}
	m := mend("use an operator for " + k.key.Type.String())
	if better != "" {
		m = k.use(withBase(op, better))
	}
	c.addName(OperatorTypeMismatch, severity, k.opNode, m,
		"%s is of type %s, which %s is not meant for", k.key.Name, k.key.TypeName(), op)
}

func either(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// checkTogether compares the conditions of a statement on the same key.
func (c *checker) checkTogether(s *statement) {
	for i := range s.conditions {
		k := &s.conditions[i]
		if k.operator.Family == policy.NullFamily && k.operator.Set == policy.NoSet {
			c.checkNull(s, k)
			continue
		}
		for j := range s.conditions[:i] {
			if o := &s.conditions[j]; strings.EqualFold(o.node.name, k.node.name) && disjoint(o, k) {
				c.addName(ContradictingConditions, s.severity(never), k.node, nil,
					"no value of %s meets both %s and %s: the statement never %s", k.node.name, o.operator, k.operator, s.verb())
			}
		}
	}
}

// disjoint reports that two conditions on a key that has one value cannot both hold.
func disjoint(a, b *condition) bool {
	exact := func(k *condition) bool {
		return k.operator.Family == policy.StringFamily && k.operator.Set == policy.NoSet && !k.operator.Negated &&
			!k.operator.IgnoreCase && len(k.values) > 0
	}
	if !exact(a) || !exact(b) || a.operator.IfExists && b.operator.IfExists {
		return false
	}
	if len(a.globs)*len(b.globs) > 256 {
		return false
	}
	for _, p := range a.globs {
		if slices.ContainsFunc(b.globs, p.meets) {
			return false
		}
	}
	return true
}

func (c *checker) checkNull(s *statement, null *condition) {
	asksTrue, asksFalse := null.asks("true"), null.asks("false")
	if asksTrue && asksFalse {
		c.addName(NullAlwaysTrue, s.severity(always), null.node, nil,
			`Null with both "true" and "false" always holds`)
		return
	}
	if !asksTrue || len(null.values) != 1 {
		return
	}
	for i := range s.conditions {
		k := &s.conditions[i]
		if k == null || k.operator.Set == policy.ForAnyValue || !strings.EqualFold(k.node.name, null.node.name) {
			continue
		}
		switch {
		case k.operator.Family == policy.NullFamily:
		case k.holdsWithout(s):
			c.addName(IneffectiveOperator, Warning, k.node, nil,
				`Null "true" asks that %s be missing, and then %s always holds`, k.node.name, k.operator)
		default:
			c.addName(NullContradiction, s.severity(never), null.node,
				mend(`make it "false"`, falseValue(null)...),
				`Null "true" asks that %s be missing and %s that it be there: the statement never %s`,
				k.node.name, k.operator, s.verb())
		}
	}
}

func falseValue(null *condition) []Edit { return []Edit{replaceValue(null.values[0], "false")} }

// checkMFA: the key is in requests with temporary credentials only (IAM User Guide,
// "AWS global condition context keys").
func (c *checker) checkMFA(s *statement) {
	for i := range s.conditions {
		k := &s.conditions[i]
		op := k.operator
		if k.key.Name != mfaPresent || op.Family != policy.BoolFamily || op.Set != policy.NoSet {
			continue
		}
		other := op
		other.IfExists = !op.IfExists
		switch {
		case s.deny && !op.IfExists && k.asks("false"):
			if _, holds := s.without(mfaPresent); !holds {
				c.addName(MFAWithoutIfExists, SecurityWarning, k.opNode, k.use(other),
					"long-term credentials do not carry %s at all, so that the statement does not deny them; BoolIfExists does", mfaPresent)
			}
		case !s.deny && op.IfExists && k.asks("true"):
			if _, holds := s.without(mfaPresent); holds {
				c.addName(MFAIfExistsInAllow, SecurityWarning, k.opNode, k.use(other),
					"long-term credentials do not carry %s at all, so that the statement allows them without MFA", mfaPresent)
			}
		}
	}
}

const mfaPresent = "aws:MultiFactorAuthPresent"
