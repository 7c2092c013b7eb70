package policy

import "strings"

// OperatorFamily is what a condition operator takes its values for.
type OperatorFamily uint8

// The families.
const (
	StringFamily OperatorFamily = iota
	NumericFamily
	DateFamily
	BoolFamily
	BinaryFamily
	AddressFamily
	ARNFamily
	NullFamily // asks whether the key is there
)

// SetOperator is what stands in front of an operator's name and says how it takes the
// values of a key that has several.
type SetOperator uint8

// The set operators.
const (
	NoSet SetOperator = iota
	ForAllValues
	ForAnyValue
)

// String returns the operator as it is written, with its colon; "" is NoSet.
func (s SetOperator) String() string { return name(s, "", "ForAllValues:", "ForAnyValue:") }

// ifExists ends the name of an operator that also holds without the key.
const ifExists = "IfExists"

// Operator is a condition operator taken apart (IAM User Guide, "IAM JSON policy
// elements: Condition operators").
type Operator struct {
	Set        SetOperator
	Base       string // the name as documented, without set operator and IfExists: "StringEquals"
	Family     OperatorFamily
	Wildcards  bool // * and ? in a value are wildcards: …Like, and Arn… whatever the rest of the name
	IgnoreCase bool // …IgnoreCase
	Negated    bool // …Not…
	IfExists   bool

	// Contested says that the name was not spelled as documented: whether AWS knows
	// it then is contested.
	Contested bool
}

// ParseOperator reads the name of an operator, [ForAllValues:|ForAnyValue:]name[IfExists],
// without regard to case, and reports whether there is one of that name. Null has no
// IfExists.
func ParseOperator(text string) (Operator, bool) {
	op, ok := parseOperator(text)
	if !ok {
		return Operator{}, false
	}
	return Operator{
		Set:        op.set,
		Base:       operatorTable[op.row].name,
		Family:     op.family,
		Wildcards:  op.relation == like,
		IgnoreCase: op.relation == equalFold,
		Negated:    op.negated,
		IfExists:   op.ifExists,
		Contested:  op.odd,
	}, true
}

// String returns the operator as documented.
func (o Operator) String() string {
	text := o.Set.String() + o.Base
	if o.IfExists {
		text += ifExists
	}
	return text
}

// Operators returns the documented names of all operators, without set operators and
// IfExists, family by family.
func Operators() []string {
	out := make([]string, len(operatorTable))
	for i := range operatorTable {
		out[i] = operatorTable[i].name
	}
	return out
}

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

// operator is an [Operator] as evaluation uses it, without its text.
type operator struct {
	row      uint8 // of the table
	family   OperatorFamily
	relation relation
	negated  bool
	ifExists bool
	set      SetOperator
	odd      bool // see Operator.Contested
}

// The table of IAM User Guide, "IAM JSON policy elements: Condition operators".
var operatorTable = [...]struct {
	name     string
	family   OperatorFamily
	relation relation
	negated  bool
}{
	{"StringEquals", StringFamily, equal, false},
	{"StringNotEquals", StringFamily, equal, true},
	{"StringEqualsIgnoreCase", StringFamily, equalFold, false},
	{"StringNotEqualsIgnoreCase", StringFamily, equalFold, true},
	{"StringLike", StringFamily, like, false},
	{"StringNotLike", StringFamily, like, true},
	{"NumericEquals", NumericFamily, equal, false},
	{"NumericNotEquals", NumericFamily, equal, true},
	{"NumericLessThan", NumericFamily, less, false},
	{"NumericLessThanEquals", NumericFamily, lessEqual, false},
	{"NumericGreaterThan", NumericFamily, greater, false},
	{"NumericGreaterThanEquals", NumericFamily, greaterEqual, false},
	{"DateEquals", DateFamily, equal, false},
	{"DateNotEquals", DateFamily, equal, true},
	{"DateLessThan", DateFamily, less, false},
	{"DateLessThanEquals", DateFamily, lessEqual, false},
	{"DateGreaterThan", DateFamily, greater, false},
	{"DateGreaterThanEquals", DateFamily, greaterEqual, false},
	{"Bool", BoolFamily, equal, false},
	{"BinaryEquals", BinaryFamily, equal, false},
	{"IpAddress", AddressFamily, equal, false},
	{"NotIpAddress", AddressFamily, equal, true},
	{"ArnEquals", ARNFamily, like, false},
	{"ArnLike", ARNFamily, like, false},
	{"ArnNotEquals", ARNFamily, like, true},
	{"ArnNotLike", ARNFamily, like, true},
	{"Null", NullFamily, equal, false},
}

// parseOperator is [ParseOperator] for evaluation.
func parseOperator(text string) (operator, bool) {
	var op operator
	rest := text
	for _, set := range [...]SetOperator{ForAllValues, ForAnyValue} {
		if r, ok, exact := cutFoldPrefix(rest, set.String()); ok {
			rest, op.set, op.odd = r, set, !exact
			break
		}
	}
	if cut := len(rest) - len(ifExists); cut > 0 && foldEqual(rest[cut:], ifExists) {
		op.ifExists = true
		op.odd = op.odd || !strings.HasSuffix(rest, ifExists)
		rest = rest[:cut]
	}
	for i := range operatorTable {
		row := &operatorTable[i]
		if !foldEqual(row.name, rest) {
			continue
		}
		op.row, op.family, op.relation, op.negated = uint8(i), row.family, row.relation, row.negated
		op.odd = op.odd || row.name != rest
		return op, !(op.family == NullFamily && op.ifExists)
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
