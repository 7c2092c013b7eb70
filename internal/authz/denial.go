package authz

import (
	"strings"

	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/policy"
)

// Denial is one refused check with its reasons.
type Denial struct {
	Caller      Caller
	Check       Check
	Explanation *policy.Explanation // nil only for a check that was never made
}

// Error returns AWS's sentence for the refusal.
func (d *Denial) Error() string { return d.sentence() }

// Fault returns the refusal as the API answers it: AWS's own sentence first, then
// which policy and statement decided, then the permitted way.
func (d *Denial) Fault() *fault.Fault {
	parts := []string{d.sentence()}
	if r := d.Reason(); r != "" {
		parts = append(parts, r)
	}
	if d.Check.Way != "" {
		parts = append(parts, d.Check.Way)
	}
	return fault.AccessDenied.Wrap(d, "%s", strings.Join(parts, ". "))
}

// Reason says in one line which policy and statement decided, or, for an implicit
// deny, what came nearest to allowing it.
func (d *Denial) Reason() string {
	if d.Explanation == nil {
		return "no decision was made"
	}
	return d.Explanation.Line()
}

// sentence is the access-denied text of AWS (IAM User Guide, "Troubleshoot access
// denied error messages").
func (d *Denial) sentence() string {
	var b strings.Builder
	b.WriteString("User: ")
	b.WriteString(d.Caller.Principal.ARN.String())
	b.WriteString(" is not authorized to perform: ")
	b.WriteString(d.Check.Action)
	if r := d.Check.ResourceText(); r != "*" {
		b.WriteString(" on resource: ")
		b.WriteString(r)
	}
	if d.Explanation == nil {
		return b.String()
	}
	layer := d.Explanation.Layer()
	if d.Explanation.Outcome() == policy.ExplicitDeny {
		b.WriteString(" with an explicit deny in " + article(layer.String()))
		return b.String()
	}
	b.WriteString(" because no " + layer.String() + " allows the " + d.Check.Action + " action")
	return b.String()
}

func article(noun string) string {
	if strings.HasPrefix(noun, "i") {
		return "an " + noun
	}
	return "a " + noun
}
