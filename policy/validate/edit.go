package validate

import (
	"encoding/json"
	"strings"

	"github.com/refward/refward/policy"
)

// quote returns text as JSON, within the characters that IAM takes.
func quote(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func mend(text string, edits ...Edit) *Mend { return &Mend{Text: text, Edits: edits} }

// replaceValue puts another string in place of a value.
func replaceValue(n *node, text string) Edit { return Edit{n.start, n.end, quote(text)} }

// respell offers another spelling of a word inside a value or, for a member whose name
// it is, of the name; nil when there is none to offer.
func (c *checker) respell(n *node, word, better string) *Mend {
	if better == "" {
		return nil
	}
	text := "did you mean " + better + "?"
	if strings.Count(n.text, word) != 1 || n.kind != '"' {
		return mend(text)
	}
	return mend(text, replaceValue(n, strings.Replace(n.text, word, better, 1)))
}

// respellName is respell for the name of a member.
func respellName(n *node, better string) *Mend {
	if better == "" {
		return nil
	}
	m := mend("did you mean " + better + "?")
	for _, sibling := range n.parent.children {
		if sibling != n && sibling.name == better {
			return m
		}
	}
	m.Edits = []Edit{{n.nameStart, n.nameEnd, quote(better)}}
	return m
}

// removeItem takes an entry out of a list. An entry that is alone stays.
func removeItem(n *node) []Edit {
	if n.parent == nil || len(n.parent.children) < 2 || n.parent.kind != '[' {
		return nil
	}
	if n.index > 0 {
		return []Edit{{n.parent.children[n.index-1].end, n.end, ""}}
	}
	return []Edit{{n.start, n.parent.children[1].start, ""}}
}

// removeMember takes a member out of an object.
func removeMember(n *node) []Edit {
	siblings := n.parent.children
	switch {
	case len(siblings) == 1:
		return []Edit{{n.nameStart, n.end, ""}}
	case n.index > 0:
		return []Edit{{siblings[n.index-1].end, n.end, ""}}
	default:
		return []Edit{{n.nameStart, siblings[1].nameStart, ""}}
	}
}

// appendItems adds strings to an element that is a string or a list.
func appendItems(n *node, texts []string) []Edit {
	var b strings.Builder
	for _, t := range texts {
		b.WriteString(", " + quote(t))
	}
	if n.kind == '[' && len(n.children) > 0 {
		end := n.children[len(n.children)-1].end
		return []Edit{{end, end, b.String()}}
	}
	if n.kind == '"' {
		return []Edit{{n.start, n.start, "["}, {n.end, n.end, b.String() + "]"}}
	}
	return nil
}

// insertMember puts a member first in an object.
func insertMember(n *node, member string) []Edit {
	if len(n.children) > 0 {
		member += ", "
	}
	return []Edit{{n.start + 1, n.start + 1, member}}
}

// requireKey adds "Null": {key: "false"} to the statement's condition.
func (s *statement) requireKey(key string) *Mend {
	text := `add "Null": {` + quote(key) + `: "false"} to the condition`
	for _, op := range s.condition.children {
		if !strings.EqualFold(op.name, "Null") {
			continue
		}
		for _, k := range op.children {
			if strings.EqualFold(k.name, key) {
				return mend(`make it "Null": {` + quote(key) + `: "false"}`)
			}
		}
		return mend(text, insertMember(op, quote(key)+`: "false"`)...)
	}
	return mend(text, insertMember(s.condition, `"Null": {`+quote(key)+`: "false"}`)...)
}

// use offers another operator in place of the condition's. The edit is made only when
// the operator stands over this key alone and the other is not there yet.
func (k *condition) use(other policy.Operator) *Mend {
	text := "use " + other.String()
	if len(k.opNode.children) != 1 {
		return mend(text)
	}
	for _, sibling := range k.opNode.parent.children {
		if sibling != k.opNode && strings.EqualFold(sibling.name, other.String()) {
			return mend(text)
		}
	}
	return mend(text, Edit{k.opNode.nameStart, k.opNode.nameEnd, quote(other.String())})
}

// setVersion makes the document one of version 2012-10-17.
func (c *checker) setVersion() *Mend {
	const text = `say "Version": "2012-10-17"`
	if v := c.root.get("Version"); v != nil {
		return mend(text, Edit{v.start, v.end, `"2012-10-17"`})
	}
	return mend(text, insertMember(c.root, `"Version": "2012-10-17"`)...)
}
