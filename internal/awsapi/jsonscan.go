package awsapi

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/refward/refward/internal/fault"
)

// The bounds of a JSON document.
const (
	maxDepth   = 32      // arrays and objects within each other
	maxMembers = 256     // of one object
	maxValues  = 100_000 // in all: what a value takes in memory is many times "{},"
)

// scanner reads JSON (RFC 8259) strictly: UTF-8 only, no lone surrogates, no
// duplicate keys, no depth without bound. Its errors are faults.
type scanner struct {
	in     []byte
	pos    int
	depth  int
	values int
	keys   [][]byte // of the objects being read, the innermost last
}

func newScanner(in []byte) (*scanner, error) {
	s := &scanner{in: in}
	if !utf8.Valid(in) {
		return nil, fault.MalformedInput.New("The body is not valid UTF-8")
	}
	return s, nil
}

func (s *scanner) fail(why string) error {
	return fault.MalformedInput.New("The body is not acceptable at byte %d: %s", s.pos, why)
}

// next skips white space and returns the byte after it, 0 at the end.
func (s *scanner) next() byte {
	for s.pos < len(s.in) {
		switch c := s.in[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// end is an error unless nothing but white space is left.
func (s *scanner) end() error {
	if s.next() != 0 || s.pos < len(s.in) {
		return s.fail("nothing is expected here")
	}
	return nil
}

// literal takes the word if it is next.
func (s *scanner) literal(word string) bool {
	s.next()
	if !bytes.HasPrefix(s.in[s.pos:], []byte(word)) {
		return false
	}
	s.pos += len(word)
	return true
}

// enter takes the opening bracket of an array or object.
func (s *scanner) enter(open byte, what string) error {
	if s.next() != open {
		return s.fail(what + " is expected here")
	}
	if s.depth == maxDepth {
		return s.fail("the values are nested too deeply")
	}
	s.pos++
	s.depth++
	return nil
}

// more reports whether another element follows, and takes the comma before it or the
// closing bracket.
func (s *scanner) more(end byte, isFirst bool) (bool, error) {
	c := s.next()
	switch {
	case c == end:
		s.pos++
		s.depth--
		return false, nil
	case isFirst:
	case c == ',':
		s.pos++
	default:
		return false, s.fail("a comma or the end of an array or object is expected here")
	}
	if s.values++; s.values > maxValues {
		return false, s.fail("there are too many values")
	}
	return true, nil
}

// array calls element with the scanner before each element of an array.
func (s *scanner) array(element func() error) error {
	if err := s.enter('[', "an array"); err != nil {
		return err
	}
	for isFirst := true; ; isFirst = false {
		more, err := s.more(']', isFirst)
		if err != nil || !more {
			return err
		}
		if err := element(); err != nil {
			return err
		}
	}
}

// object calls member with each key of an object and the scanner before its value.
func (s *scanner) object(member func(key []byte) error) error {
	if err := s.enter('{', "an object"); err != nil {
		return err
	}
	base := len(s.keys)
	defer func() { s.keys = s.keys[:base] }()
	for isFirst := true; ; isFirst = false {
		more, err := s.more('}', isFirst)
		if err != nil || !more {
			return err
		}
		key, err := s.key(base)
		if err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
	}
}

// key reads a key that the object, whose keys begin at base, does not have yet.
func (s *scanner) key(base int) ([]byte, error) {
	key, err := s.text()
	if err != nil {
		return nil, err
	}
	if len(s.keys)-base == maxMembers {
		return nil, s.fail("the object has too many members")
	}
	for _, k := range s.keys[base:] {
		if bytes.Equal(k, key) {
			return nil, s.fail("a key appears twice")
		}
	}
	s.keys = append(s.keys, key)
	if s.next() != ':' {
		return nil, s.fail("a colon is expected here")
	}
	s.pos++
	return key, nil
}

// skip reads any value and forgets it.
func (s *scanner) skip() error {
	switch s.next() {
	case '{':
		return s.object(func([]byte) error { return s.skip() })
	case '[':
		return s.array(s.skip)
	case '"':
		_, err := s.text()
		return err
	case 't', 'f', 'n':
		if s.literal("true") || s.literal("false") || s.literal("null") {
			return nil
		}
		return s.fail("a value is expected here")
	default:
		_, err := s.number()
		return err
	}
}

// text reads a string. It points into the input where nothing is escaped.
func (s *scanner) text() ([]byte, error) {
	if s.next() != '"' {
		return nil, s.fail("a string is expected here")
	}
	s.pos++
	start := s.pos
	for s.pos < len(s.in) {
		switch c := s.in[s.pos]; {
		case c == '"':
			s.pos++
			return s.in[start : s.pos-1 : s.pos-1], nil
		case c == '\\':
			return s.escaped(start)
		case c < 0x20:
			return nil, s.fail("a control character stands in a string")
		default:
			s.pos++
		}
	}
	return nil, s.fail("the string has no end")
}

// escaped goes on reading a string from its first backslash.
func (s *scanner) escaped(start int) ([]byte, error) {
	out := bytes.Clone(s.in[start:s.pos])
	for s.pos < len(s.in) {
		c := s.in[s.pos]
		switch {
		case c == '"':
			s.pos++
			return out, nil
		case c < 0x20:
			return nil, s.fail("a control character stands in a string")
		case c != '\\':
			out = append(out, c)
			s.pos++
		default:
			r, ok := s.escape()
			if !ok {
				return nil, s.fail("the escape is not one of JSON's")
			}
			out = utf8.AppendRune(out, r)
		}
	}
	return nil, s.fail("the string has no end")
}

// escape reads one escape sequence, or a surrogate pair of two.
func (s *scanner) escape() (rune, bool) {
	if s.pos+1 >= len(s.in) {
		return 0, false
	}
	c := s.in[s.pos+1]
	if c == 'u' {
		r, ok := s.hex()
		if !ok || !utf16.IsSurrogate(r) {
			return r, ok
		}
		low, ok := s.hex()
		r = utf16.DecodeRune(r, low)
		return r, ok && r != utf8.RuneError
	}
	from, to := `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	i := bytes.IndexByte([]byte(from), c)
	if i < 0 {
		return 0, false
	}
	s.pos += 2
	return rune(to[i]), true
}

// hex reads \uXXXX.
func (s *scanner) hex() (rune, bool) {
	if s.pos+6 > len(s.in) || s.in[s.pos] != '\\' || s.in[s.pos+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s.in[s.pos+2 : s.pos+6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	s.pos += 6
	return r, true
}

// number reads a number and returns its text.
func (s *scanner) number() ([]byte, error) {
	s.next()
	start := s.pos
	s.take("-")
	if !s.take("0") && s.digits() == 0 {
		s.pos = start
		return nil, s.fail("a number is expected here")
	}
	if s.take(".") && s.digits() == 0 {
		return nil, s.fail("a digit is expected here")
	}
	if s.take("eE") {
		s.take("+-")
		if s.digits() == 0 {
			return nil, s.fail("a digit is expected here")
		}
	}
	return s.in[start:s.pos], nil
}

// take takes one byte if it is one of set.
func (s *scanner) take(set string) bool {
	if s.pos < len(s.in) && bytes.IndexByte([]byte(set), s.in[s.pos]) >= 0 {
		s.pos++
		return true
	}
	return false
}

// digits takes digits and returns how many.
func (s *scanner) digits() int {
	start := s.pos
	for s.pos < len(s.in) && '0' <= s.in[s.pos] && s.in[s.pos] <= '9' {
		s.pos++
	}
	return s.pos - start
}
