package validate

import (
	"slices"
	"strings"

	"github.com/refward/refward/policy"
)

// ifExists ends the name of an operator that also holds without the key.
const ifExists = "IfExists"

// withBase returns the operator's name with another base.
func withBase(op policy.Operator, base string) policy.Operator {
	op.Base = base
	return op
}

// nearestOperator guesses what a name that is none was meant to be.
func nearestOperator(text string) string {
	op := policy.Operator{}
	rest := text
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		op.Set = policy.ForAnyValue
		if strings.Contains(strings.ToLower(rest[:i]), "all") {
			op.Set = policy.ForAllValues
		}
		rest = rest[i+1:]
	}
	if cut := len(rest) - len(ifExists); cut > 0 && strings.EqualFold(rest[cut:], ifExists) {
		op.IfExists, rest = true, rest[:cut]
	}
	op.Base = nearest(rest, slices.Values(policy.Operators()))
	if op.Base == "" {
		return ""
	}
	op.IfExists = op.IfExists && op.Base != "Null"
	return op.String()
}
