package lfs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ErrSyntax is wrapped by the error for a message that is not what the API documents.
var ErrSyntax = errors.New("invalid Git LFS request")

// maxDepth is how deep a message may be nested; the documented ones are three deep.
const maxDepth = 8

// decode reads one JSON value into v, strictly.
func decode(data []byte, v any) error {
	if err := checkJSON(data); err != nil {
		return fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return fmt.Errorf("%w: %s cannot be a %s", ErrSyntax, t.Field, t.Value)
		}
		return fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return nil
}

// checkJSON refuses what package json would read with a guess: bytes that are not UTF-8,
// members that are given twice (it ignores case, so that "ref" and "Ref" are one), a
// second value, and deep nesting.
func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("it is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := checkValue(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one value")
	}
	return nil
}

func checkValue(d *json.Decoder, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("it is nested deeper than %d", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return unended(err)
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	members := map[string]bool{}
	for d.More() {
		if open == '{' {
			name, err := d.Token()
			if err != nil {
				return unended(err)
			}
			text, _ := name.(string) // the decoder refuses other names
			folded := fold(text)
			if members[folded] {
				return fmt.Errorf("the member %.64q is given twice", text)
			}
			members[folded] = true
		}
		if err := checkValue(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token() // the end
	return unended(err)
}

// fold gives all names one text that package json takes for one: it folds as Unicode
// does, by which "ſ" is an s and the Kelvin sign a k.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		for next := unicode.SimpleFold(r); ; next = unicode.SimpleFold(next) {
			if next <= r { // the first of those that fold together
				return next
			}
			r = next
		}
	}, name)
}

func unended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
