package policycmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// errNoObject is text that is JSON and not an object.
var errNoObject = errors.New("it is not a JSON object")

// badJSON is text that is not JSON in UTF-8, and where that shows.
type badJSON struct {
	text string
	at   int // byte offset
}

// Error implements error.
func (e *badJSON) Error() string { return fmt.Sprintf("it is not JSON: byte %d: %s", e.at+1, e.text) }

// checkJSON returns an error for what is not one JSON value. The rest of this file may
// then take its shape for granted.
func checkJSON(text []byte) error {
	if !json.Valid(text) {
		var v json.RawMessage
		e := &badJSON{text: "unexpected end", at: len(text)}
		if syntax, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(text, &v)); ok {
			e.text, e.at = syntax.Error(), max(0, int(syntax.Offset)-1)
		}
		return e
	}
	if !utf8.Valid(text) {
		at := 0
		for rest := text; ; at++ {
			r, n := utf8.DecodeRune(rest)
			if r == utf8.RuneError && n == 1 {
				return &badJSON{"it is not UTF-8", at}
			}
			rest, at = rest[n:], at+n-1
		}
	}
	return nil
}

// cursor runs through JSON that checkJSON accepted, without copying any of it.
type cursor struct {
	text []byte
	at   int
}

func (c *cursor) skipBlanks() {
	for c.at < len(c.text) {
		switch c.text[c.at] {
		case ' ', '\t', '\n', '\r':
			c.at++
		default:
			return
		}
	}
}

// next returns the byte at which the next value, name or bracket begins.
func (c *cursor) next() byte {
	c.skipBlanks()
	if c.at == len(c.text) {
		return 0
	}
	return c.text[c.at]
}

// value returns the text of the next value and goes behind it.
func (c *cursor) value() []byte {
	first := c.next()
	start, depth := c.at, 0
	if first != '"' && first != '{' && first != '[' {
		c.skipWord()
		return c.text[start:c.at]
	}
	for c.at < len(c.text) {
		switch c.text[c.at] {
		case '"':
			c.skipString()
		case '{', '[':
			depth++
			c.at++
		case '}', ']':
			depth--
			c.at++
		default:
			c.at++
		}
		if depth == 0 {
			break
		}
	}
	return c.text[start:c.at]
}

// skipWord goes behind a number, true, false or null.
func (c *cursor) skipWord() {
	for c.at < len(c.text) {
		switch c.text[c.at] {
		case ',', ']', '}', ' ', '\t', '\n', '\r':
			return
		}
		c.at++
	}
}

func (c *cursor) skipString() {
	for c.at++; c.at < len(c.text); c.at++ {
		switch c.text[c.at] {
		case '"':
			c.at++
			return
		case '\\':
			c.at++ // and what is escaped
		}
	}
}

// members calls f with the name and the text of every member of an object, until it
// returns an error.
func members(object []byte, f func(name string, value []byte) error) error {
	c := cursor{text: object}
	if c.next() != '{' {
		return errNoObject
	}
	c.at++
	for c.next() != '}' {
		name, _ := textOf(c.value())
		c.next()
		c.at++ // the colon
		if err := f(name, c.value()); err != nil {
			return err
		}
		if c.next() == ',' {
			c.at++
		}
	}
	return nil
}

// items calls f with the text of every item of an array, until it returns an error.
func items(array []byte, f func(value []byte) error) error {
	c := cursor{text: array, at: 1}
	for c.next() != ']' {
		if err := f(c.value()); err != nil {
			return err
		}
		if c.next() == ',' {
			c.at++
		}
	}
	return nil
}

// textOf returns the text that a JSON string stands for. Half of a surrogate pair stands
// for none.
func textOf(value []byte) (text string, ok bool) {
	if value[0] != '"' {
		return "", false
	}
	if body := value[1 : len(value)-1]; bytes.IndexByte(body, '\\') < 0 {
		return string(body), true
	}
	err := json.Unmarshal(value, &text)
	return text, err == nil && !halfPair(value)
}

// halfPair reports whether a JSON string has a surrogate without its other half.
func halfPair(value []byte) bool {
	for {
		i := bytes.IndexByte(value, '\\')
		switch {
		case i < 0:
			return false
		case value[i+1] != 'u':
			value = value[i+2:]
			continue
		}
		first := escaped(value[i:])
		value = value[i+escapeLen:]
		if !utf16.IsSurrogate(first) {
			continue
		}
		if len(value) < escapeLen || utf16.DecodeRune(first, escaped(value)) == utf8.RuneError {
			return true
		}
		value = value[escapeLen:]
	}
}

// escapeLen is the length of \uXXXX.
const escapeLen = 6

// escaped returns the number of an escape of the form \uXXXX, 0 for other text.
func escaped(text []byte) rune {
	if text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	n, err := strconv.ParseUint(string(text[2:escapeLen]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(n)
}
