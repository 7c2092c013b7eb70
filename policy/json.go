package policy

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDocument is the longest document that is read, in characters: the limit of the
// IAM API's request parameter.
const MaxDocument = 131072

// maxDepth is far more nesting than the grammar has (statement list, statement,
// condition, operator, value list) and little enough for the stack.
const maxDepth = 32

type nodeKind uint8

const (
	nullNode nodeKind = iota
	boolNode
	numberNode
	stringNode
	arrayNode
	objectNode
)

func (k nodeKind) String() string {
	return name(k, "null", "a boolean", "a number", "a string", "an array", "an object")
}

// node is one JSON value and where it stands.
type node struct {
	kind       nodeKind
	start, end int      // byte offsets into the text
	text       string   // a string's value; a number, boolean or null as written
	members    []member // of an object, in order, names unique; of an array, without names
}

type member struct {
	name  string
	start int // of the name
	value node
}

// get returns the member of that very name, or nil.
func (n *node) get(name string) *node { return find(n.members, name) }

func find(members []member, name string) *node {
	for i := range members {
		if members[i].name == name {
			return &members[i].value
		}
	}
	return nil
}

// leaves returns how many values a list holds; one value is a list of one, and
// nothing is an empty list. leaf returns the i-th.
func (n *node) leaves() int {
	switch {
	case n == nil:
		return 0
	case n.kind == arrayNode:
		return len(n.members)
	default:
		return 1
	}
}

func (n *node) leaf(i int) *node {
	if n.kind == arrayNode {
		return &n.members[i].value
	}
	return n
}

// scalar reports whether the node stands for one text: strings, numbers and
// booleans, whose text form counts.
func (n *node) scalar() bool {
	return n.kind == boolNode || n.kind == numberNode || n.kind == stringNode
}

// pointerTo returns the JSON pointer from n to a node below it.
func (n *node) pointerTo(at *node) string {
	for i := range n.members {
		m := &n.members[i]
		if at.start < m.value.start || m.value.end < at.end {
			continue
		}
		name := m.name
		if n.kind == arrayNode {
			name = strconv.Itoa(i)
		}
		return "/" + escapePointer(name) + m.value.pointerTo(at)
	}
	return ""
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

func escapePointer(s string) string { return pointerEscaper.Replace(s) }

// tree is a document's text and what was read from it.
type tree struct {
	text string
	root node
}

// reader reads JSON (RFC 8259), strictly: no repeated names, no lone surrogates, no
// characters outside IAM's range, one value and nothing after it.
type reader struct {
	text string
	pos  int

	// What has been read of the objects and arrays that are still open. Each takes
	// its own part away when it ends, to where it stays.
	members []member
	kept    slab[member]
}

// errDuplicate is kept apart because IAM calls it a syntax error, not bad JSON.
var errDuplicate = errors.New("repeated name")

// jsonError is a place where the text stops being the JSON that IAM reads.
type jsonError struct {
	off     int
	pointer string
	err     error
}

func (e *jsonError) Error() string { return e.err.Error() }
func (e *jsonError) Unwrap() error { return e.err }

func (r *reader) errorf(off int, format string, args ...any) error {
	return &jsonError{off: off, err: fmt.Errorf(format, args...)}
}

// within tells the error in which value of an object or array it came up.
func within(err error, name string) error {
	if j, ok := errors.AsType[*jsonError](err); ok {
		j.pointer = "/" + escapePointer(name) + j.pointer
	}
	return err
}

// readJSON reads the whole text as one value.
func readJSON(text string) (*tree, error) {
	r := &reader{text: text, members: make([]member, 0, 16)}
	if err := r.checkText(); err != nil {
		return nil, err
	}
	t := &tree{text: text}
	r.space()
	var err error
	if t.root, err = r.value(0); err != nil {
		return nil, err
	}
	r.space()
	if r.pos < len(text) {
		return nil, r.errorf(r.pos, "text after the end of the document")
	}
	return t, nil
}

// checkText allows tab, newline, carriage return and U+0020 to U+00FF, which is all
// that the IAM API takes.
func (r *reader) checkText() error {
	count := 0
	for i := 0; i < len(r.text); {
		if i+8 <= len(r.text) && count+8 <= MaxDocument {
			if x := load8(r.text[i:]); x&high == 0 && control8(x)&^equal8(x, '\n') == 0 {
				count += 8
				i += 8
				continue
			}
		}
		c, n := rune(r.text[i]), 1
		if c >= utf8.RuneSelf {
			c, n = utf8.DecodeRuneInString(r.text[i:])
			if n == 1 {
				return r.errorf(i, "the text is not UTF-8")
			}
		}
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c > 0xFF {
			return r.errorf(i, "character %U is outside U+0020 to U+00FF", c)
		}
		if count++; count > MaxDocument {
			return r.errorf(i, "the document is longer than %d characters", MaxDocument)
		}
		i += n
	}
	return nil
}

func (r *reader) space() {
	const blanks = ' ' * ones
	for r.pos < len(r.text) {
		switch r.text[r.pos] {
		case ' ':
			if r.pos+8 <= len(r.text) && load8(r.text[r.pos:]) == blanks {
				r.pos += 7
			}
			r.pos++
		case '\t', '\n', '\r':
			r.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end; the text holds no zero bytes.
func (r *reader) peek() byte {
	if r.pos < len(r.text) {
		return r.text[r.pos]
	}
	return 0
}

func (r *reader) value(depth int) (node, error) {
	n := node{start: r.pos}
	if depth > maxDepth {
		return n, r.errorf(r.pos, "nested deeper than %d levels", maxDepth)
	}
	var err error
	switch c := r.peek(); {
	case c == '{':
		n.kind = objectNode
		n.members, err = r.object(depth)
	case c == '[':
		n.kind = arrayNode
		n.members, err = r.array(depth)
	case c == '"':
		n.kind = stringNode
		n.text, err = r.string()
	case c == '-' || c >= '0' && c <= '9':
		n.kind = numberNode
		n.text, err = r.number()
	default:
		n.kind, n.text, err = r.word()
	}
	n.end = r.pos
	return n, err
}

func (r *reader) word() (nodeKind, string, error) {
	for _, w := range [...]string{"true", "false", "null"} {
		if strings.HasPrefix(r.text[r.pos:], w) {
			r.pos += len(w)
			if w == "null" {
				return nullNode, w, nil
			}
			return boolNode, w, nil
		}
	}
	if r.pos >= len(r.text) {
		return nullNode, "", r.errorf(r.pos, "the text ends where a value should be")
	}
	return nullNode, "", r.errorf(r.pos, "%q where a value should be", r.text[r.pos])
}

func (r *reader) object(depth int) ([]member, error) {
	r.pos++
	mark := len(r.members)
	var seen map[string]bool // only of objects with many members
	for r.space(); r.peek() != '}'; r.space() {
		if err := r.comma(len(r.members) > mark, '}'); err != nil {
			return nil, err
		}
		if r.peek() != '"' {
			return nil, r.errorf(r.pos, "a name in double quotes is missing")
		}
		m := member{start: r.pos}
		var err error
		if m.name, err = r.string(); err != nil {
			return nil, err
		}
		if seen = remember(seen, r.members[mark:]); seen[m.name] || seen == nil && find(r.members[mark:], m.name) != nil {
			return nil, r.errorf(m.start, "%w %q", errDuplicate, m.name)
		}
		if r.space(); r.peek() != ':' {
			return nil, r.errorf(r.pos, "a colon is missing after the name %q", m.name)
		}
		r.pos++
		r.space()
		if m.value, err = r.value(depth + 1); err != nil {
			return nil, within(err, m.name)
		}
		r.members = append(r.members, m)
	}
	r.pos++
	return r.close(mark), nil
}

// mostKept bounds the room that is made before it is known what a text holds.
const mostKept = 4096

// quoted counts the strings of a text without escapes.
func quoted(text string) int { return strings.Count(text, `"`) / 2 }

// close takes away what was read of an object or array that ends.
func (r *reader) close(mark int) []member {
	if r.kept.free == nil {
		// Nearly every member has a name or a value in quotes.
		r.kept.grow(min(quoted(r.text), mostKept))
	}
	members := r.kept.take(len(r.members) - mark)
	copy(members, r.members[mark:])
	r.members = r.members[:mark]
	return members
}

// comma reads the comma that stands before every value of a list but the first.
func (r *reader) comma(due bool, end byte) error {
	if !due {
		return nil
	}
	if r.peek() != ',' {
		return r.errorf(r.pos, "a comma or %c is missing", end)
	}
	r.pos++
	r.space()
	return nil
}

// remember keeps the names in a map once there are too many to look through.
func remember(seen map[string]bool, members []member) map[string]bool {
	const few = 16
	switch {
	case seen != nil:
		seen[members[len(members)-1].name] = true
	case len(members) > few:
		seen = make(map[string]bool, 4*few)
		for _, m := range members {
			seen[m.name] = true
		}
	}
	return seen
}

func (r *reader) array(depth int) ([]member, error) {
	r.pos++
	mark := len(r.members)
	for r.space(); r.peek() != ']'; r.space() {
		i := len(r.members) - mark
		if err := r.comma(i > 0, ']'); err != nil {
			return nil, err
		}
		m := member{start: r.pos}
		var err error
		if m.value, err = r.value(depth + 1); err != nil {
			return nil, within(err, strconv.Itoa(i))
		}
		r.members = append(r.members, m)
	}
	r.pos++
	return r.close(mark), nil
}

func (r *reader) number() (string, error) {
	start := r.pos
	digits := func() bool {
		from := r.pos
		for c := r.peek(); c >= '0' && c <= '9'; c = r.peek() {
			r.pos++
		}
		return r.pos > from
	}
	if r.peek() == '-' {
		r.pos++
	}
	lead := r.pos
	ok := digits() && (r.text[lead] != '0' || r.pos == lead+1)
	if ok && r.peek() == '.' {
		r.pos++
		ok = digits()
	}
	if c := r.peek(); ok && (c == 'e' || c == 'E') {
		r.pos++
		if c := r.peek(); c == '+' || c == '-' {
			r.pos++
		}
		ok = digits()
	}
	if !ok {
		return "", r.errorf(start, "%q is not a JSON number", r.text[start:r.pos])
	}
	return r.text[start:r.pos], nil
}

// string reads a string. One without escapes, the usual case, is a slice of the text.
func (r *reader) string() (string, error) {
	start := r.pos
	r.pos++
	for i := r.pos; i < len(r.text); i++ {
		for i+8 <= len(r.text) {
			x := load8(r.text[i:])
			if stop := equal8(x, '"') | equal8(x, '\\') | control8(x); stop != 0 {
				i += bits.TrailingZeros64(stop) / 8
				break
			}
			i += 8
		}
		if i == len(r.text) {
			break
		}
		switch c := r.text[i]; {
		case c == '"':
			s := r.text[r.pos:i]
			r.pos = i + 1
			return s, nil
		case c == '\\':
			return r.escaped(start, i)
		case c < ' ':
			return "", r.errorf(i, "a control character inside a string")
		}
	}
	return "", r.errorf(start, "a string that does not end")
}

// escaped reads on from the first backslash at i.
func (r *reader) escaped(start, i int) (string, error) {
	var b strings.Builder
	b.WriteString(r.text[r.pos:i])
	for i < len(r.text) {
		c := r.text[i]
		switch {
		case c == '"':
			r.pos = i + 1
			return b.String(), nil
		case c < ' ':
			return "", r.errorf(i, "a control character inside a string")
		case c != '\\':
			b.WriteByte(c)
			i++
			continue
		}
		char, n := unescape(r.text[i:])
		if n == 0 {
			return "", r.errorf(i, "an escape that JSON does not have")
		}
		b.WriteRune(char)
		i += n
	}
	return "", r.errorf(start, "a string that does not end")
}

// unescape reads one escape sequence and returns its character and length, which is
// 0 for what is not one.
func unescape(s string) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	hi, ok := hex4(s)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(hi):
		return hi, 6
	}
	lo, ok := hex4(s[6:])
	if c := utf16.DecodeRune(hi, lo); ok && c != utf8.RuneError {
		return c, 12
	}
	return 0, 0
}

// hex4 reads \uXXXX.
func hex4(s string) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(s[2:6], 16, 32)
	return rune(v), err == nil
}
