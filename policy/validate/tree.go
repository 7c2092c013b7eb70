package validate

import (
	"encoding/json"
	"sort"
	"strconv"
	"strings"

	"github.com/refward/refward/policy"
)

// node is one JSON value with its place. Unlike the tree of package policy it keeps
// repeated names, so that each can be reported.
type node struct {
	kind       byte // one of { [ " 0 (a number) t (a boolean or null)
	start, end int  // byte offsets
	text       string
	parent     *node
	index      int // among the children of parent
	children   []*node

	// Of a member of an object.
	name               string
	nameStart, nameEnd int
}

// maxDepth is more than a policy ever nests.
const maxDepth = 32

// scanner reads JSON that package policy has read or is going to; it checks no more
// than it needs to stay on its feet.
type scanner struct {
	text string
	pos  int
}

// readTree returns nil when the text is not JSON.
func readTree(text string) *node {
	s := &scanner{text: text}
	s.space()
	root := s.value(nil, 0)
	s.space()
	if s.pos != len(text) {
		return nil
	}
	return root
}

func (s *scanner) space() {
	for s.pos < len(s.text) && strings.IndexByte(" \t\r\n", s.text[s.pos]) >= 0 {
		s.pos++
	}
}

// eat skips white space and the byte c, if it comes next.
func (s *scanner) eat(c byte) bool {
	s.space()
	if s.pos < len(s.text) && s.text[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) value(parent *node, depth int) *node {
	if s.pos >= len(s.text) || depth > maxDepth {
		return nil
	}
	n := &node{kind: s.text[s.pos], start: s.pos, parent: parent}
	ok := false
	switch c := n.kind; {
	case c == '{', c == '[':
		ok = s.list(n, depth)
	case c == '"':
		n.text, ok = s.string()
	default:
		n.text, ok = s.word()
		if n.kind = '0'; ok && (c == 't' || c == 'f' || c == 'n') {
			n.kind = 't'
		}
	}
	if !ok {
		return nil
	}
	n.end = s.pos
	return n
}

func (s *scanner) list(n *node, depth int) bool {
	end := byte('}')
	if n.kind == '[' {
		end = ']'
	}
	s.pos++
	for !s.eat(end) {
		if len(n.children) > 0 && !s.eat(',') {
			return false
		}
		s.space()
		var name string
		nameStart, nameEnd := s.pos, s.pos
		if n.kind == '{' {
			var ok bool
			if name, ok = s.string(); !ok {
				return false
			}
			nameEnd = s.pos
			if !s.eat(':') {
				return false
			}
			s.space()
		}
		child := s.value(n, depth+1)
		if child == nil {
			return false
		}
		child.index = len(n.children)
		child.name, child.nameStart, child.nameEnd = name, nameStart, nameEnd
		n.children = append(n.children, child)
	}
	return true
}

func (s *scanner) string() (string, bool) {
	if s.pos >= len(s.text) || s.text[s.pos] != '"' {
		return "", false
	}
	start, escaped := s.pos, false
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch s.text[s.pos] {
		case '\\':
			escaped = true
			s.pos++
		case '"':
			s.pos++
			if !escaped {
				return s.text[start+1 : s.pos-1], true
			}
			var out string
			err := json.Unmarshal([]byte(s.text[start:s.pos]), &out)
			return out, err == nil
		}
	}
	return "", false
}

// word reads a number, true, false or null.
func (s *scanner) word() (string, bool) {
	start := s.pos
	for s.pos < len(s.text) && strings.IndexByte(" \t\r\n,]}:[{\"", s.text[s.pos]) < 0 {
		s.pos++
	}
	w := s.text[start:s.pos]
	return w, json.Valid([]byte(w))
}

// get returns the first member of that very name, or nil.
func (n *node) get(name string) *node {
	if n == nil || n.kind != '{' {
		return nil
	}
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// leaves returns the items of an array, or the node itself.
func (n *node) leaves() []*node {
	switch {
	case n == nil:
		return nil
	case n.kind == '[':
		return n.children
	default:
		return []*node{n}
	}
}

// member reports whether the node stands in an object.
func (n *node) member() bool { return n.parent != nil && n.parent.kind == '{' }

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// pointer returns the JSON pointer of the node.
func (n *node) pointer() string {
	if n == nil || n.parent == nil {
		return ""
	}
	step := strconv.Itoa(n.index)
	if n.member() {
		step = pointerEscaper.Replace(n.name)
	}
	return n.parent.pointer() + "/" + step
}

// at finds the node that begins at an offset, itself or with its name.
func (n *node) at(off int) *node {
	if n.start == off || n.member() && n.nameStart == off {
		return n
	}
	for _, c := range n.children {
		from := c.start
		if c.member() {
			from = c.nameStart
		}
		if from <= off && off < c.end {
			return c.at(off)
		}
	}
	return nil
}

// holds reports whether o lies in n.
func (n *node) holds(o *node) bool { return n.start <= o.start && o.end <= n.end }

// places turns byte offsets into lines and columns and back.
type places []int // where each line begins

func newPlaces(text string) places {
	p := places{0}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' {
			p = append(p, i+1)
		}
	}
	return p
}

func (p places) position(off int) policy.Position {
	line := sort.SearchInts(p, off+1)
	return policy.Position{Line: line, Column: off - p[line-1] + 1}
}

func (p places) offset(at policy.Position) int {
	line := min(max(at.Line, 1), len(p))
	return p[line-1] + max(at.Column, 1) - 1
}
