package policy

import (
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"
)

// condition is one operator, one key and its values, compiled. A Condition element is
// the AND of all of them.
type condition struct {
	op     operator
	name   string // the operator as written
	key    keyName
	values []string // as written

	// One of these is parallel to values, by op.family. What does not parse is the
	// zero value with ok false: it is never equal to anything.
	patterns  []pattern    // string, Bool
	arns      []arnPattern // ARN
	numbers   []parsed[number]
	instants  []parsed[instant]
	networks  []parsed[netip.Prefix]
	binaries  []parsed[string]
	variables bool // the document's version has variables

	literal bool     // the values are the very texts that a string is to be equal to
	null    [3]truth // of Null: the answer for each answer to "is the key missing?"
}

type parsed[T any] struct {
	value T
	ok    bool
}

func parseAll[T any](values []string, parse func(string) (T, bool)) []parsed[T] {
	out := make([]parsed[T], len(values))
	for i, v := range values {
		out[i].value, out[i].ok = parse(v)
	}
	return out
}

func compileCondition(c *Condition, variables bool) condition {
	op, _ := parseOperator(c.Operator)
	out := condition{op: op, name: c.Operator, key: newKeyName(c.Key), values: c.Values, variables: variables}
	switch op.family {
	case StringFamily, BoolFamily:
		x := syntaxOf{wildcards: op.relation == like, variables: variables}
		out.patterns = make([]pattern, len(c.Values))
		out.literal = op.family == StringFamily && op.relation != equalFold
		for i, v := range c.Values {
			out.patterns[i] = x.compile(v)
			out.literal = out.literal && out.patterns[i].literal()
		}
	case ARNFamily:
		out.arns = make([]arnPattern, len(c.Values))
		for i, v := range c.Values {
			out.arns[i] = compileARN(v, variables)
		}
	case NumericFamily:
		out.numbers = parseAll(c.Values, parseNumber)
	case DateFamily:
		out.instants = parseAll(c.Values, parseInstant)
	case AddressFamily:
		out.networks = parseAll(c.Values, parseNetwork)
	case BinaryFamily:
		out.binaries = parseAll(c.Values, parseBinary)
	case NullFamily:
		for missing := range yes + 1 {
			out.null[missing] = askNull(c.Values, missing)
		}
	}
	return out
}

func parseBinary(s string) (string, bool) {
	b, err := base64.StdEncoding.DecodeString(s)
	return string(b), err == nil
}

// test evaluates the condition. The rules for missing keys and set operators are
// those of IAM User Guide, "Condition operators" (…IfExists), "Single-valued vs.
// multivalued context keys" and "Set operators for multivalued context keys".
func (c *condition) test(m *matcher) truth {
	e := m.lookUp(&c.key)
	var t truth
	switch {
	case c.op.family == NullFamily:
		t = c.testNull(e)
	case c.op.set == ForAllValues:
		t = c.testAll(m, e)
	case c.op.set == ForAnyValue:
		t = c.testAny(m, e)
	default:
		t = c.testSingle(m, e)
	}
	if c.op.odd {
		t = min(t, unsure)
	}
	return t
}

func (c *condition) testSingle(m *matcher, e *entry) truth {
	n := e.len()
	switch {
	case n == 0 && c.op.ifExists:
		return yes
	case len(c.values) == 0 && c.op.ifExists:
		return no
	case len(c.values) == 0:
		return unsure // an empty list under a plain operator: contested
	case n == 0:
		return truthOf(c.op.negated)
	case n == 1:
		return c.testValue(m, e.at(0))
	}
	// Several values without a set operator: "must use one", and nobody says what
	// happens otherwise. If no value satisfies, every reading says no.
	t := no
	for i := range n {
		t = max(t, c.testValue(m, e.at(i)))
	}
	return min(t, unsure)
}

func (c *condition) testAll(m *matcher, e *entry) truth {
	n := e.len()
	if n == 0 {
		return yes
	}
	if len(c.values) == 0 {
		return no
	}
	t := yes
	for i := range n {
		t = min(t, c.testValue(m, e.at(i)))
	}
	if n == 1 && e.at(0) == "" {
		t = max(t, unsure) // an empty string may count as an empty set
	}
	return t
}

func (c *condition) testAny(m *matcher, e *entry) truth {
	n := e.len()
	switch {
	case n == 0 && c.op.ifExists:
		return unsure
	case n == 0 || len(c.values) == 0:
		return no
	}
	t := no
	for i := range n {
		t = max(t, c.testValue(m, e.at(i)))
	}
	if n == 1 && e.at(0) == "" {
		t = min(t, unsure)
	}
	return t
}

// testNull answers whether the key is missing, as the values ask.
func (c *condition) testNull(e *entry) truth {
	switch {
	case c.op.set == ForAllValues:
		return yes
	case c.op.set == ForAnyValue:
		return no
	case e.len() == 1 && e.at(0) == "":
		return c.null[unsure]
	default:
		return c.null[truthOf(e.len() == 0)]
	}
}

// askNull answers for a key that is missing, or not, or perhaps, as each value asks;
// "true" and "false" together ask nothing.
func askNull(values []string, missing truth) truth {
	if len(values) == 0 {
		return unsure
	}
	t, asksTrue, asksFalse := no, false, false
	for _, v := range values {
		var one truth
		switch {
		case v == "true":
			one, asksTrue = missing, true
		case v == "false":
			one, asksFalse = missing.not(), true
		case foldEqual(v, "true"):
			one = min(missing, unsure)
		case foldEqual(v, "false"):
			one = min(missing.not(), unsure)
		default:
			one = unsure
		}
		t = max(t, one)
	}
	if asksTrue && asksFalse {
		return yes
	}
	return t
}

// testValue compares one value of the request with all values of the condition: OR,
// or for a negated operator NOR.
func (c *condition) testValue(m *matcher, text string) truth {
	t := no
	if c.literal {
		t = truthOf(slices.Contains(c.values, text))
	} else {
		for i := range c.values {
			if t = max(t, c.testPair(m, i, text)); t == yes {
				break
			}
		}
	}
	if c.op.negated {
		return t.not()
	}
	return t
}

// testPair compares one value of the request with the i-th value of the condition,
// before negation. Where one of the two is not of the operator's type they are
// not equal; under a negated operator that is contested.
func (c *condition) testPair(m *matcher, i int, text string) truth {
	switch c.op.family {
	case StringFamily:
		return c.testString(m, &c.patterns[i], text)
	case BoolFamily:
		return c.testBool(m, &c.patterns[i], text)
	case ARNFamily:
		return c.arns[i].matchCondition(m, text, c.op.negated)
	case NumericFamily:
		v, ok := parseNumber(text)
		if p := c.numbers[i]; ok && p.ok {
			return truthOf(c.op.relation.holds(v.compare(p.value)))
		}
	case DateFamily:
		v, ok := parseInstant(text)
		if p := c.instants[i]; ok && p.ok {
			return truthOf(c.op.relation.holds(v.compare(p.value)))
		}
	case AddressFamily:
		v, ok := parseAddress(text)
		if p := c.networks[i]; ok && p.ok {
			return truthOf(p.value.Contains(v))
		}
	case BinaryFamily:
		v, ok := parseBinary(text)
		if p := c.binaries[i]; ok && p.ok {
			return truthOf(v == p.value)
		}
	}
	return c.unparsed()
}

// unparsed is the answer where a text is not of the operator's type.
func (c *condition) unparsed() truth {
	if c.op.negated {
		return unsure
	}
	return no
}

func (c *condition) testString(m *matcher, p *pattern, text string) truth {
	if c.op.relation != equalFold {
		return truthOf(m.match(p, text))
	}
	want, ok := m.expand(p)
	return truthOf(ok && strings.EqualFold(want, text))
}

// testBool compares true and false. Other spellings of the two, and variables, are
// contested.
func (c *condition) testBool(m *matcher, p *pattern, text string) truth {
	want, ok := m.expand(p)
	switch {
	case !ok || !foldEqual(want, text) || !foldEqual(text, "true") && !foldEqual(text, "false"):
		return no
	case p.vars || want != text || text != "true" && text != "false":
		return unsure
	default:
		return yes
	}
}
