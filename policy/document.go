package policy

// Document is a policy document as data, in the order it was written.
type Document struct {
	Version    string // "2012-10-17", "2008-10-17", or "" when it has none, which means 2008-10-17
	ID         string // the Id element
	Statements []Statement
}

// Variables reports whether ${…} is a variable in the document: only its version says so.
func (d *Document) Variables() bool { return d.Version == version2012 }

const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// Statement is one element of the Statement list.
type Statement struct {
	Sid    string
	Effect Effect

	// Principals are those of the Principal element, or of NotPrincipal when
	// NotPrincipal is set. A document of most kinds has none.
	Principals   []Principal
	NotPrincipal bool

	// Actions are those of the Action element, or of NotAction.
	Actions   []string
	NotAction bool

	// Resources are those of the Resource element, or of NotResource. A trust
	// policy has none, which stands for the role it is attached to.
	Resources   []string
	NotResource bool

	Conditions []Condition // every operator and key of the Condition element

	Start, End Position // of the statement's text; End is after its last byte
}

// Principal is one entry of a Principal element. "Principal": "*" is Type "*" and
// Name "*".
type Principal struct {
	Type string // AWS, Federated, Service, CanonicalUser or *
	Name string
}

// Condition is one operator with one key and the values it is compared with.
type Condition struct {
	Operator string   // as written, set operator and IfExists included
	Key      string   // as written
	Values   []string // numbers and booleans in their text form
	At       Position // of the key's value
}
