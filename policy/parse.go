package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// Source says where a policy is attached; it shows in explanations.
type Source struct {
	Name  string // "DenyMaster"
	Owner string // "group Juniors", "user juniordev"; may be empty
}

// Policy is one parsed, compiled, immutable document with the name it has where it is
// attached. It is safe for concurrent use.
type Policy struct {
	source     Source
	kind       Kind
	text       string
	digest     string
	tree       *tree
	document   Document
	statements []statement
	index      actionIndex
}

// Source returns where the policy is attached.
func (p *Policy) Source() Source { return p.source }

// Kind returns the rules that the document was checked by.
func (p *Policy) Kind() Kind { return p.kind }

// Text returns the document as it was given.
func (p *Policy) Text() string { return p.text }

// Digest returns the SHA-256 of the text in hexadecimal.
func (p *Policy) Digest() string { return p.digest }

// Document returns the document as data. It is shared and must not be changed.
func (p *Policy) Document() *Document { return &p.document }

// At returns the same policy attached elsewhere, without parsing again.
func (p *Policy) At(src Source) *Policy {
	q := *p
	q.source = src
	return &q
}

// Parse reads and compiles a document. Errors are [*SyntaxError], with AWS's message
// for the first rule that is broken in the order in which AWS checks them: grammar,
// version, legacy parser, Sids, actions present, resource syntax, action prefixes,
// resources.
func Parse(src Source, kind Kind, document []byte) (*Policy, error) {
	text := string(document)
	t, err := readJSON(text)
	if err != nil {
		return nil, syntaxErrorOf(err, kind, text)
	}
	raws, version, failed := t.grammar(kind)
	if failed != nil {
		return nil, failed
	}
	for _, rule := range rules {
		if failed := rule(t, kind, raws); failed != nil {
			return nil, failed
		}
	}
	p := &Policy{source: src, kind: kind, text: text, tree: t}
	p.digest = digestOf(document)
	p.document = t.document(version, raws)
	p.compile()
	return p, nil
}

func digestOf(document []byte) string {
	var text [2 * sha256.Size]byte
	sum := sha256.Sum256(document)
	hex.Encode(text[:], sum[:])
	return string(text[:])
}

// syntaxErrorOf words an error of the JSON reader as the kind of document has it.
func syntaxErrorOf(err error, kind Kind, text string) *SyntaxError {
	e := &SyntaxError{Message: msgSyntax, Detail: err.Error(), Line: 1, Column: 1}
	if kind == Trust && !errors.Is(err, errDuplicate) {
		e.Message = msgTrustJSON
	}
	if j, ok := errors.AsType[*jsonError](err); ok {
		pos := positionAt(text, j.off)
		e.Line, e.Column, e.Pointer = pos.Line, pos.Column, j.pointer
	}
	return e
}

// documentMaker makes the data of a document that passed every rule.
type documentMaker struct {
	places cursor
	texts  slab[string]
}

func (t *tree) document(version string, raws []rawStatement) Document {
	d := Document{Version: version, Statements: make([]Statement, len(raws))}
	if id := t.root.get("Id"); id != nil {
		d.ID = id.text
	}
	m := documentMaker{places: cursor{text: t.text}}
	m.texts.grow(min(quoted(t.text)/2, mostKept)) // the other half are names
	for i := range raws {
		m.statement(&d.Statements[i], &raws[i])
	}
	return d
}

func (m *documentMaker) statement(s *Statement, raw *rawStatement) {
	s.Start = m.places.at(raw.node.start)
	if raw.sid != nil {
		s.Sid = raw.sid.text
	}
	if raw.effect.text == Permit.String() {
		s.Effect = Permit
	}
	s.Actions, s.NotAction = m.either(raw.action, raw.notAction)
	s.Resources, s.NotResource = m.either(raw.resource, raw.notResource)
	switch {
	case raw.principal != nil:
		s.Principals = m.principals(raw.principal)
	case raw.notPrincipal != nil:
		s.Principals, s.NotPrincipal = m.principals(raw.notPrincipal), true
	}
	if raw.condition != nil {
		s.Conditions = m.conditionsOf(raw.condition)
	}
	s.End = m.places.at(raw.node.end)
}

func (m *documentMaker) conditionsOf(n *node) []Condition {
	count := 0
	for i := range n.members {
		count += len(n.members[i].value.members)
	}
	if count == 0 {
		return nil
	}
	out := make([]Condition, 0, count)
	for i := range n.members {
		op := &n.members[i]
		for j := range op.value.members {
			key := &op.value.members[j]
			out = append(out, Condition{
				Operator: op.name,
				Key:      key.name,
				Values:   m.list(&key.value),
				At:       m.places.at(key.value.start),
			})
		}
	}
	return out
}

// either returns the texts of an element or of its Not twin.
func (m *documentMaker) either(plain, not *node) ([]string, bool) {
	if not != nil {
		return m.list(not), true
	}
	if plain != nil {
		return m.list(plain), false
	}
	return nil, false
}

// list returns a scalar's text, or those of an array's items.
func (m *documentMaker) list(n *node) []string {
	out := m.texts.take(n.leaves())
	for i := range out {
		out[i] = n.leaf(i).text
	}
	return out
}

func (m *documentMaker) principals(n *node) []Principal {
	if n.kind != objectNode {
		return []Principal{{Type: "*", Name: n.text}}
	}
	var out []Principal
	for i := range n.members {
		for _, name := range m.list(&n.members[i].value) {
			out = append(out, Principal{Type: n.members[i].name, Name: name})
		}
	}
	return out
}
