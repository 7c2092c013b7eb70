package policy

import "strconv"

// Outcome is what a decision comes to.
type Outcome uint8

// The outcomes; the zero value denies.
const (
	ImplicitDeny Outcome = iota
	ExplicitDeny
	Allow
)

// String returns implicitDeny, explicitDeny or allow.
func (o Outcome) String() string {
	return name(o, "implicitDeny", "explicitDeny", "allow")
}

// words is the outcome in a sentence.
func (o Outcome) words() string {
	return name(o, "implicit deny", "explicit deny", "allow")
}

// Layer is the kind of policy that decided.
type Layer uint8

// The layers.
const (
	IdentityLayer Layer = iota
	BoundaryLayer
	SessionLayer
	ServiceControlLayer
	ResourceLayer
)

// String returns the layer as AWS's access-denied messages call it.
func (l Layer) String() string {
	return name(l, "identity-based policy", "permissions boundary", "session policy",
		"service control policy", "resource-based policy")
}

// Kind says which rules a document is checked by.
type Kind uint8

// Kinds of document.
const (
	Identity       Kind = iota // inline policy of a user, group or role
	Trust                      // who may assume a role
	Resource                   // attached to a resource
	ServiceControl             // a guard over a whole account
	Session                    // passed when a session is made
	Boundary                   // a managed policy that limits a user or role
	Managed                    // a customer managed policy
)

// String returns a word or two for people.
func (k Kind) String() string {
	return name(k, "identity policy", "trust policy", "resource policy", "service control policy",
		"session policy", "permissions boundary", "managed policy")
}

// Effect is what a statement does when it applies.
type Effect uint8

// The effects. The zero value denies.
const (
	Deny Effect = iota
	Permit
)

// String returns the effect as a policy spells it.
func (e Effect) String() string { return name(e, "Deny", "Allow") }

// name returns the i-th name, or the number of a value that has none.
func name[T ~uint8](i T, names ...string) string {
	if int(i) < len(names) {
		return names[i]
	}
	return strconv.Itoa(int(i))
}

// truth is the answer of one test. Where AWS's documentation is silent or
// contradicts itself the answer is unsure: an Allow statement then does not apply
// and a Deny statement does, which is the reading that denies more.
type truth uint8

const (
	no truth = iota
	unsure
	yes
)

// String returns no, contested or yes.
func (t truth) String() string { return name(t, "no", "contested", "yes") }

// not is Kleene's negation; min and max are his "and" and "or".
func (t truth) not() truth { return yes - t }

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// applies settles a contested answer by the statement's effect.
func (t truth) applies(e Effect) bool {
	return t == yes || t == unsure && e == Deny
}
