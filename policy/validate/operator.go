package validate

import (
	"strings"
	"sync"
)

// family is what an operator takes its values for.
type family uint8

const (
	stringFamily family = iota
	numericFamily
	dateFamily
	boolFamily
	binaryFamily
	addressFamily
	arnFamily
	nullFamily
)

// operator is the name of a condition operator, taken apart (IAM User Guide, "IAM JSON
// policy elements: Condition operators").
type operator struct {
	set      string // "", "ForAllValues:" or "ForAnyValue:"
	base     string // as documented: "StringEquals"
	family   family
	like     bool // values are globs
	fold     bool // ... IgnoreCase
	negated  bool
	ifExists bool
	odd      bool // not spelled as documented
}

const (
	forAll   = "ForAllValues:"
	forAny   = "ForAnyValue:"
	ifExists = "IfExists"
)

// operatorNames are the operators of each family.
var operatorNames = [...]string{
	stringFamily:  "StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike",
	numericFamily: "NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals",
	dateFamily:    "DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals",
	boolFamily:    "Bool",
	binaryFamily:  "BinaryEquals",
	addressFamily: "IpAddress NotIpAddress",
	arnFamily:     "ArnEquals ArnLike ArnNotEquals ArnNotLike",
	nullFamily:    "Null",
}

// parseOperator reads [ForAllValues:|ForAnyValue:]name[IfExists].
func parseOperator(text string) (operator, bool) {
	op := operator{}
	rest := text
	for _, set := range [...]string{forAll, forAny} {
		if len(rest) > len(set) && strings.EqualFold(rest[:len(set)], set) {
			op.set, rest = set, rest[len(set):]
		}
	}
	if cut := len(rest) - len(ifExists); cut > 0 && strings.EqualFold(rest[cut:], ifExists) {
		op.ifExists, rest = true, rest[:cut]
	}
	base, ok := bases()[rest]
	if !ok {
		base, ok = bases()[strings.ToLower(rest)]
	}
	if !ok {
		return op, false
	}
	base.set, base.ifExists = op.set, op.ifExists
	base.odd = base.String() != text
	return base, base.family != nullFamily || !base.ifExists
}

// bases are the operators without set operator and IfExists, by name as documented
// and in lower case.
var bases = sync.OnceValue(func() map[string]operator {
	out := map[string]operator{}
	for fam, names := range operatorNames {
		for name := range strings.FieldsSeq(names) {
			op := operator{
				base:    name,
				family:  family(fam),
				like:    strings.HasSuffix(name, "Like"),
				fold:    strings.HasSuffix(name, "IgnoreCase"),
				negated: strings.Contains(name, "Not"),
			}
			out[name], out[strings.ToLower(name)] = op, op
		}
	}
	return out
})

// String returns the name as documented.
func (op operator) String() string {
	s := op.set + op.base
	if op.ifExists {
		s += ifExists
	}
	return s
}

// with returns the operator with another base.
func (op operator) with(base string) operator {
	op.base = base
	return op
}

// nearestOperator guesses what a name that is none was meant to be.
func nearestOperator(text string) string {
	op := operator{}
	rest := text
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		op.set = forAny
		if strings.Contains(strings.ToLower(rest[:i]), "all") {
			op.set = forAll
		}
		rest = rest[i+1:]
	}
	if cut := len(rest) - len(ifExists); cut > 0 && strings.EqualFold(rest[cut:], ifExists) {
		op.ifExists, rest = true, rest[:cut]
	}
	base := nearest(rest, func(yield func(string) bool) {
		for _, names := range operatorNames {
			for name := range strings.FieldsSeq(names) {
				if !yield(name) {
					return
				}
			}
		}
	})
	if base == "" {
		return ""
	}
	op.base = base
	op.ifExists = op.ifExists && base != "Null"
	return op.String()
}
