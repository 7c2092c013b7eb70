package validate

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/policy"
)

// checkValues checks the values of one condition.
func (c *checker) checkValues(s *statement, k *condition) {
	if len(k.values) == 0 {
		c.add(EmptyConditionValues, Warning, k.node, nil, "the list of values is empty: %s", k.consequenceOfNone())
	}
	wild := false
	for i, v := range k.values {
		if k.operator.Family == policy.StringFamily || k.operator.Family == policy.ARNFamily {
			c.checkVariables(v)
		} else {
			c.checkNoVariable(v, InvalidVariableForOperator, "in the values of "+k.operator.Base)
		}
		switch k.operator.Family {
		case policy.StringFamily:
			if v.text == "" {
				c.add(EmptyConditionValue, Suggestion, v, nil, "the value is the empty string, which almost no key ever has")
			}
			wild = wild || !k.operator.Wildcards && hasWildcard(v.text)
		case policy.NumericFamily:
			c.checkValue(InvalidNumberValue, s, k, v, isNumber(v.text), "a number")
		case policy.BoolFamily, policy.NullFamily:
			c.checkBoolean(s, k, v)
		case policy.AddressFamily:
			c.checkAddress(s, k, v)
		case policy.BinaryFamily:
			_, err := base64.StdEncoding.DecodeString(v.text)
			c.checkValue(InvalidBinaryValue, s, k, v, err == nil, "base64")
		case policy.ARNFamily:
			c.checkARNValue(s, k, v)
		}
		c.checkRepeated(k, i)
	}
	if wild {
		c.wildcardWithoutLike(s, k)
	}
}

// consequenceOfNone words what an empty list does.
func (k *condition) consequenceOfNone() string {
	switch {
	case k.operator.Set == policy.ForAnyValue:
		return "the condition never holds"
	case k.operator.Set == policy.ForAllValues || k.operator.IfExists:
		return "the condition holds only for requests without the key"
	default:
		return "whether the condition ever holds is contested"
	}
}

// checkValue reports a value that is not of the operator's type.
func (c *checker) checkValue(code Code, s *statement, k *condition, v *node, ok bool, want string) {
	if ok {
		return
	}
	if i := strings.Index(v.text, "${"); i >= 0 {
		if _, n := readVariable(v.text[i:]); n > 0 {
			return // told already
		}
	}
	severity := Warning
	if len(k.values) == 1 {
		if k.operator.Negated {
			severity = s.severity(always)
		} else {
			severity = s.severity(never)
		}
	}
	c.add(code, severity, v, nil, "%q is not %s: no value of a request is ever equal to it", clip(v.text), want)
}

// hasWildcard reports whether a text has * or ? outside of ${…}.
func hasWildcard(text string) bool {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '*', '?':
			return true
		case '$':
			if _, n := readVariable(text[i:]); n > 0 {
				i += n - 1
			}
		}
	}
	return false
}

func (c *checker) wildcardWithoutLike(s *statement, k *condition) {
	severity := Warning
	if !k.operator.Negated {
		severity = s.severity(never)
	}
	m := mend("there is no operator that knows wildcards and ignores case")
	if !k.operator.IgnoreCase {
		like := k.operator
		like.Base = either(k.operator.Negated, "StringNotLike", "StringLike")
		m = k.use(like)
	}
	c.addName(WildcardWithoutLike, severity, k.node, m,
		"%s compares exactly: * and ? are ordinary characters there, and no value of %s has them", k.operator, k.node.name)
}

// isNumber reports whether text is a decimal number as numeric operators read it.
func isNumber(text string) bool {
	text = strings.TrimLeft(text[:min(1, len(text))], "+-") + text[min(1, len(text)):]
	if text == "" || strings.Trim(text, "0123456789.eE+-") != "" {
		return false
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		if e, err := strconv.Atoi(text[i+1:]); err != nil || abs(e) > 400 {
			return false
		}
		text = text[:i]
	}
	whole, frac, _ := strings.Cut(text, ".")
	return whole+frac != "" && strings.Trim(whole+frac, "0123456789") == ""
}

func (c *checker) checkBoolean(s *statement, k *condition, v *node) {
	if v.text == "true" || v.text == "false" {
		return
	}
	lower := strings.ToLower(v.text)
	if lower == "true" || lower == "false" {
		c.add(BooleanSpelling, Warning, v, mend("write "+lower, replaceValue(v, lower)),
			"whether %q counts is contested: the value is written %q", v.text, lower)
		return
	}
	c.checkValue(InvalidBooleanValue, s, k, v, false, "true or false")
}

func (c *checker) checkAddress(s *statement, k *condition, v *node) {
	if _, err := netip.ParseAddr(v.text); err == nil {
		return
	}
	p, err := netip.ParsePrefix(v.text)
	c.checkValue(InvalidAddressValue, s, k, v, err == nil, "an address or a network such as 203.0.113.0/24")
	if err == nil && p.Masked() != p {
		masked := p.Masked().String()
		c.add(AddressHostBits, Suggestion, v, mend("write "+masked, replaceValue(v, masked)),
			"the bits behind the prefix do not count: %s is the network %s", v.text, masked)
	}
}

func (c *checker) checkARNValue(s *statement, k *condition, v *node) {
	if strings.Contains(v.text, "${") {
		return // a variable may stand for several parts
	}
	parts := arn.SplitPattern(v.text)
	six := strings.Count(v.text, ":") >= 5 && parts[0] == "arn"
	c.checkValue(InvalidARNValue, s, k, v, six, "an ARN of six parts")
}

// checkRepeated: a value that another one of the list covers.
func (c *checker) checkRepeated(k *condition, i int) {
	const most = 64 // of a longer list nothing is said
	if len(k.values) > most || k.operator.Family == policy.NullFamily {
		return
	}
	v := k.values[i]
	for j, o := range k.values {
		if i == j {
			continue
		}
		covered := o.text == v.text
		mutual := covered
		if k.globs != nil && k.operator.Wildcards && !covered {
			covered = k.globs[j].includes(k.globs[i])
			mutual = covered && k.globs[i].includes(k.globs[j])
		}
		if covered && (!mutual || j < i) {
			c.add(RedundantValue, Suggestion, v, mend("take it out", removeItem(v)...),
				"%q of the same list covers %q", clip(o.text), clip(v.text))
			return
		}
	}
}
