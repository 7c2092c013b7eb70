package object

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/refward/refward/internal/git/oid"
)

// Signature is an author, committer or tagger line.
type Signature struct {
	Name, Email string
	Date        string // as Git writes it: "1484167798 -0800"
}

// Header is another header line of a commit. A value of several lines has newlines
// between them, without the space that marks the continuation.
type Header struct{ Key, Value string }

// CommitObject is a parsed commit.
type CommitObject struct {
	ID        oid.ID // set by who read it
	Tree      oid.ID
	Parents   []oid.ID
	Author    Signature
	Committer Signature
	Extra     []Header // encoding, gpgsig, mergetag, …, in order
	Message   string
}

// ParseCommit reads a commit: tree, parents, author and committer in this order, then
// other headers, an empty line and the message.
func ParseCommit(b []byte) (*CommitObject, error) {
	head, message, ok := splitHead(b)
	if !ok {
		return nil, fmt.Errorf("%w: the commit's header does not end", ErrSyntax)
	}
	s := headerScanner{rest: head}
	c := &CommitObject{Message: string(message)}
	var err error
	if c.Tree, err = s.id("tree"); err != nil {
		return nil, err
	}
	for s.at("parent") {
		p, err := s.id("parent")
		if err != nil {
			return nil, err
		}
		c.Parents = append(c.Parents, p)
	}
	if c.Author, err = s.signature("author"); err != nil {
		return nil, err
	}
	if c.Committer, err = s.signature("committer"); err != nil {
		return nil, err
	}
	for len(s.rest) > 0 {
		c.Extra = append(c.Extra, s.header())
	}
	return c, nil
}

// splitHead cuts an object at its first empty line. A commit without a message may
// end with its header.
func splitHead(b []byte) (head, message []byte, ok bool) {
	if i := bytes.Index(b, []byte("\n\n")); i >= 0 {
		return b[:i+1], b[i+2:], true
	}
	return b, nil, len(b) > 0 && b[len(b)-1] == '\n'
}

// Encode returns the commit as Git stores it. A commit that did not come from
// ParseCommit must have no newline and no angle bracket in its signatures; Git's own
// checks refuse others when the object is stored.
func (c *CommitObject) Encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "tree %s\n", c.Tree)
	for _, p := range c.Parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	fmt.Fprintf(&b, "author %s\ncommitter %s\n", c.Author, c.Committer)
	for _, h := range c.Extra {
		fmt.Fprintf(&b, "%s %s\n", h.Key, strings.ReplaceAll(h.Value, "\n", "\n "))
	}
	b.WriteByte('\n')
	b.WriteString(c.Message)
	return b.Bytes()
}

// String returns the line as it stands behind the header's key.
func (s Signature) String() string {
	if s.Name == "" {
		return "<" + s.Email + "> " + s.Date
	}
	return s.Name + " <" + s.Email + "> " + s.Date
}

// parseSignature never fails: whatever a line lacks is empty. Git's history holds
// lines without an address or without the space before the date, and a commit that
// was accepted must stay readable.
func parseSignature(line string) Signature {
	gt := strings.LastIndexByte(line, '>')
	lt := strings.IndexByte(line, '<')
	if lt >= 0 && gt > lt {
		return Signature{Name: strings.TrimSpace(line[:lt]), Email: line[lt+1 : gt], Date: strings.TrimSpace(line[gt+1:])}
	}
	name, date := strings.TrimSpace(line), ""
	if f := strings.Fields(name); len(f) >= 2 && isNumber(f[len(f)-2]) && isNumber(f[len(f)-1]) {
		date = f[len(f)-2] + " " + f[len(f)-1]
		name = strings.Join(f[:len(f)-2], " ")
	}
	return Signature{Name: strings.TrimSpace(strings.NewReplacer("<", "", ">", "").Replace(name)), Date: date}
}

func isNumber(s string) bool {
	s = strings.TrimLeft(s, "+-")
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// headerScanner reads the header lines of a commit or tag one after the other. Its
// text ends with a newline or is empty.
type headerScanner struct{ rest []byte }

// at reports whether the next line has this key.
func (s *headerScanner) at(key string) bool {
	return len(s.rest) > len(key) && string(s.rest[:len(key)]) == key && s.rest[len(key)] == ' '
}

// line takes the next line, which must have this key, and returns its value.
func (s *headerScanner) line(key string) (string, error) {
	if !s.at(key) {
		return "", fmt.Errorf("%w: no %s line where one must be", ErrSyntax, key)
	}
	value, rest, ok := bytes.Cut(s.rest[len(key)+1:], []byte("\n"))
	if !ok {
		return "", fmt.Errorf("%w: the %s line does not end", ErrSyntax, key)
	}
	s.rest = rest
	return string(value), nil
}

func (s *headerScanner) id(key string) (oid.ID, error) {
	value, err := s.line(key)
	if err != nil {
		return oid.Zero, err
	}
	id, err := oid.Parse(value)
	if err != nil {
		return oid.Zero, fmt.Errorf("%w: %s %q: %w", ErrSyntax, key, value, err)
	}
	return id, nil
}

func (s *headerScanner) signature(key string) (Signature, error) {
	value, err := s.line(key)
	if err != nil {
		return Signature{}, err
	}
	return parseSignature(value), nil
}

// header takes any header with its continuation lines. Git does not look at headers that
// it does not know, so one without a value, or without a key, is taken as it is.
func (s *headerScanner) header() Header {
	line, rest, _ := bytes.Cut(s.rest, []byte("\n"))
	key, value, _ := bytes.Cut(line, []byte(" "))
	h := Header{Key: string(key)}
	var text strings.Builder
	text.Write(value)
	for len(rest) > 0 && rest[0] == ' ' {
		line, rest, _ = bytes.Cut(rest[1:], []byte("\n"))
		text.WriteByte('\n')
		text.Write(line)
	}
	h.Value, s.rest = text.String(), rest
	return h
}
