package policy

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// Format returns the document as it was written, with the white space of one style:
// the same elements in the same order, a list that was one value still one value, a
// number still a number.
func (p *Policy) Format() []byte {
	var w printer
	w.node(&p.tree.root, 0)
	w.WriteByte('\n')
	return w.Bytes()
}

// Canonical returns the one text of all documents that say the same in the same
// statements: elements in the order of the documentation, lists sorted and without
// repeats, one value without brackets, every value a string, the version spelled out,
// no empty conditions. Parsing it and printing again gives the same text.
func (d *Document) Canonical() []byte {
	var w printer
	root := d.tree()
	w.node(&root, 0)
	w.WriteByte('\n')
	return w.Bytes()
}

func (d *Document) tree() node {
	root := node{kind: objectNode}
	root.add("Version", textNode(cmp.Or(d.Version, version2008)))
	if d.ID != "" {
		root.add("Id", textNode(d.ID))
	}
	list := node{kind: arrayNode}
	for i := range d.Statements {
		list.add("", d.Statements[i].tree())
	}
	root.add("Statement", list)
	return root
}

func (s *Statement) tree() node {
	n := node{kind: objectNode}
	if s.Sid != "" {
		n.add("Sid", textNode(s.Sid))
	}
	n.add("Effect", textNode(s.Effect.String()))
	if len(s.Principals) > 0 {
		n.add(twin("Principal", s.NotPrincipal), principalTree(s.Principals))
	}
	n.add(twin("Action", s.NotAction), listTree(s.Actions, foldCompare))
	if len(s.Resources) > 0 {
		n.add(twin("Resource", s.NotResource), listTree(s.Resources, cmp.Compare))
	}
	if len(s.Conditions) > 0 {
		n.add("Condition", conditionTree(s.Conditions))
	}
	return n
}

func twin(element string, not bool) string {
	if not {
		return "Not" + element
	}
	return element
}

func principalTree(principals []Principal) node {
	if len(principals) == 1 && principals[0].Type == "*" {
		return textNode("*")
	}
	byType := map[string][]string{}
	for _, p := range principals {
		byType[p.Type] = append(byType[p.Type], p.Name)
	}
	n := node{kind: objectNode}
	for _, typ := range [...]string{"AWS", "Federated", "Service", "CanonicalUser"} {
		if names := byType[typ]; len(names) > 0 {
			n.add(typ, listTree(names, cmp.Compare))
		}
	}
	return n
}

func conditionTree(conditions []Condition) node {
	sorted := slices.Clone(conditions)
	slices.SortFunc(sorted, func(a, b Condition) int {
		return cmp.Or(cmp.Compare(a.Operator, b.Operator), foldCompare(a.Key, b.Key))
	})
	n := node{kind: objectNode}
	for _, c := range sorted {
		if last := len(n.members) - 1; last < 0 || n.members[last].name != c.Operator {
			n.add(c.Operator, node{kind: objectNode})
		}
		op := &n.members[len(n.members)-1].value
		op.add(c.Key, listTree(c.Values, cmp.Compare))
	}
	return n
}

// foldCompare sorts without regard to case first, so that no two texts are equal
// that are not the same.
func foldCompare(a, b string) int {
	return cmp.Or(cmp.Compare(lowerText(a), lowerText(b)), cmp.Compare(a, b))
}

func (n *node) add(name string, value node) {
	n.members = append(n.members, member{name: name, value: value})
}

func textNode(s string) node { return node{kind: stringNode, text: s} }

// listTree sorts and drops repeats; one value stands without brackets.
func listTree(values []string, compare func(a, b string) int) node {
	sorted := slices.Clone(values)
	slices.SortFunc(sorted, compare)
	sorted = slices.Compact(sorted)
	if len(sorted) == 1 {
		return textNode(sorted[0])
	}
	n := node{kind: arrayNode}
	for _, v := range sorted {
		n.add("", textNode(v))
	}
	return n
}

// printer writes JSON, indented by two blanks, lists of one value on one line.
type printer struct{ bytes.Buffer }

func (w *printer) node(n *node, depth int) {
	switch n.kind {
	case stringNode:
		w.quote(n.text)
	case objectNode:
		w.list('{', '}', len(n.members), len(n.members) > 0, depth, func(i int) {
			w.quote(n.members[i].name)
			w.WriteString(": ")
			w.node(&n.members[i].value, depth+1)
		})
	case arrayNode:
		tall := len(n.members) > 1 || len(n.members) == 1 && n.members[0].value.kind >= arrayNode
		w.list('[', ']', len(n.members), tall, depth, func(i int) { w.node(&n.members[i].value, depth+1) })
	default:
		w.WriteString(n.text)
	}
}

func (w *printer) list(open, end byte, n int, tall bool, depth int, item func(int)) {
	w.WriteByte(open)
	for i := range n {
		if i > 0 {
			w.WriteByte(',')
		}
		if tall {
			w.line(depth + 1)
		}
		item(i)
	}
	if tall {
		w.line(depth)
	}
	w.WriteByte(end)
}

func (w *printer) line(depth int) {
	w.WriteByte('\n')
	for range depth {
		w.WriteString("  ")
	}
}

// quote writes a string with the characters that IAM takes as they are and the others
// escaped.
func (w *printer) quote(s string) {
	w.WriteByte('"')
	for _, c := range s {
		switch i := strings.IndexRune("\"\\\b\f\n\r\t", c); {
		case i >= 0:
			w.WriteByte('\\')
			w.WriteByte(`"\bfnrt`[i])
		case c >= ' ' && c <= 0xFF:
			w.WriteRune(c)
		case c > 0xFFFF:
			hi, lo := utf16.EncodeRune(c)
			fmt.Fprintf(w, `\u%04x\u%04x`, hi, lo)
		default:
			fmt.Fprintf(w, `\u%04x`, c)
		}
	}
	w.WriteByte('"')
}
