package policy

import "strings"

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

// relation is how an operator compares.
type relation uint8

const (
	equal relation = iota
	equalFold
	like
	less
	lessEqual
	greater
	greaterEqual
)

// quantifier is the set operator in front of an operator's name.
type quantifier uint8

const (
	single quantifier = iota
	forAll
	forAny
)

// operator is a condition operator taken apart.
type operator struct {
	family   family
	relation relation
	negated  bool
	ifExists bool
	set      quantifier

	// odd says that the name was not spelled as documented. Whether AWS knows it
	// then is contested.
	odd bool
}

// The table of IAM User Guide, "IAM JSON policy elements: Condition operators".
var operatorTable = [...]struct {
	name     string
	family   family
	relation relation
	negated  bool
}{
	{"StringEquals", stringFamily, equal, false},
	{"StringNotEquals", stringFamily, equal, true},
	{"StringEqualsIgnoreCase", stringFamily, equalFold, false},
	{"StringNotEqualsIgnoreCase", stringFamily, equalFold, true},
	{"StringLike", stringFamily, like, false},
	{"StringNotLike", stringFamily, like, true},
	{"NumericEquals", numericFamily, equal, false},
	{"NumericNotEquals", numericFamily, equal, true},
	{"NumericLessThan", numericFamily, less, false},
	{"NumericLessThanEquals", numericFamily, lessEqual, false},
	{"NumericGreaterThan", numericFamily, greater, false},
	{"NumericGreaterThanEquals", numericFamily, greaterEqual, false},
	{"DateEquals", dateFamily, equal, false},
	{"DateNotEquals", dateFamily, equal, true},
	{"DateLessThan", dateFamily, less, false},
	{"DateLessThanEquals", dateFamily, lessEqual, false},
	{"DateGreaterThan", dateFamily, greater, false},
	{"DateGreaterThanEquals", dateFamily, greaterEqual, false},
	{"Bool", boolFamily, equal, false},
	{"BinaryEquals", binaryFamily, equal, false},
	{"IpAddress", addressFamily, equal, false},
	{"NotIpAddress", addressFamily, equal, true},
	{"ArnEquals", arnFamily, like, false},
	{"ArnLike", arnFamily, like, false},
	{"ArnNotEquals", arnFamily, like, true},
	{"ArnNotLike", arnFamily, like, true},
	{"Null", nullFamily, equal, false},
}

// parseOperator reads [ForAllValues:|ForAnyValue:]name[IfExists]. Null has no
// IfExists.
func parseOperator(text string) (operator, bool) {
	var op operator
	rest := text
	for set, prefix := range [...]string{forAll: "ForAllValues:", forAny: "ForAnyValue:"} {
		if prefix == "" {
			continue
		}
		if r, ok, exact := cutFoldPrefix(rest, prefix); ok {
			rest, op.set, op.odd = r, quantifier(set), !exact
			break
		}
	}
	const suffix = "IfExists"
	if cut := len(rest) - len(suffix); cut > 0 && foldEqual(rest[cut:], suffix) {
		op.ifExists = true
		op.odd = op.odd || !strings.HasSuffix(rest, suffix)
		rest = rest[:cut]
	}
	for i := range operatorTable {
		row := &operatorTable[i]
		if !foldEqual(row.name, rest) {
			continue
		}
		op.family, op.relation, op.negated = row.family, row.relation, row.negated
		op.odd = op.odd || row.name != rest
		return op, !(op.family == nullFamily && op.ifExists)
	}
	return operator{}, false
}

// holds reports whether the relation admits the answer of a three-way comparison.
func (r relation) holds(c int) bool {
	switch r {
	case less:
		return c < 0
	case lessEqual:
		return c <= 0
	case greater:
		return c > 0
	case greaterEqual:
		return c >= 0
	default:
		return c == 0
	}
}
