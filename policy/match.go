package policy

import (
	"strings"
	"unicode/utf8"
)

// matcher compares patterns with texts of one request. It counts its steps, so that a
// test can show how they grow: at most len(text) × tokens of the longest piece for
// one pattern, since no place in the text is tried twice for a piece.
type matcher struct {
	ctx   *Context
	steps int

	// Conditions and variables often ask for the same key one after the other.
	known *keyName // the key that was looked up last
	found *entry
}

// lookUp finds a key of the request, nil when it does not carry the key.
func (m *matcher) lookUp(k *keyName) *entry {
	if m.known == nil || m.known != k && *m.known != *k {
		m.known, m.found = k, m.ctx.find(k.name, k.hash)
	}
	return m.found
}

// match reports whether the whole text fits the pattern, case-sensitive. A pattern
// with a variable that has no value fits nothing.
func (m *matcher) match(p *pattern, text string) bool {
	switch p.form {
	case exactForm:
		return text == p.lead
	case prefixForm:
		return strings.HasPrefix(text, p.lead)
	}
	if !strings.HasPrefix(text, p.lead) {
		return false
	}
	last := len(p.pieces) - 1
	n, ok := m.head(p.pieces[0], text)
	if !ok {
		return false
	}
	text = text[n:]
	if last == 0 {
		return text == ""
	}
	if n, ok = m.tail(p.pieces[last], text); !ok {
		return false
	}
	text = text[:len(text)-n]
	for _, pc := range p.pieces[1:last] {
		if n, ok = m.search(pc, text); !ok {
			return false
		}
		text = text[n:]
	}
	return true
}

// bound reports whether every variable of the pattern has a value.
func (m *matcher) bound(p *pattern) bool {
	for _, pc := range p.pieces {
		for i := range pc {
			if pc[i].kind == variable {
				if _, ok := m.value(&pc[i]); !ok {
					return false
				}
			}
		}
	}
	return true
}

// value returns what a literal or variable stands for in the request. A variable has
// no value when its key is missing and there is no default, and when the key has
// several values: multivalued keys never expand.
func (m *matcher) value(t *token) (string, bool) {
	if t.kind == literal {
		return t.text, true
	}
	e := m.lookUp(&t.key)
	switch e.len() {
	case 0:
		return t.text, t.def
	case 1:
		return e.at(0), true
	default:
		return "", false
	}
}

// head matches a piece at the start of the text and returns the length it took.
func (m *matcher) head(pc piece, text string) (int, bool) {
	n := 0
	for i := range pc {
		m.steps++
		if pc[i].kind == oneChar {
			if n >= len(text) {
				return 0, false
			}
			_, w := utf8.DecodeRuneInString(text[n:])
			n += w
			continue
		}
		v, ok := m.value(&pc[i])
		if !ok || !strings.HasPrefix(text[n:], v) {
			return 0, false
		}
		n += len(v)
	}
	return n, true
}

// tail matches a piece at the end of the text and returns the length it took.
func (m *matcher) tail(pc piece, text string) (int, bool) {
	end := len(text)
	for i := len(pc) - 1; i >= 0; i-- {
		m.steps++
		if pc[i].kind == oneChar {
			if end == 0 {
				return 0, false
			}
			_, w := utf8.DecodeLastRuneInString(text[:end])
			end -= w
			continue
		}
		v, ok := m.value(&pc[i])
		if !ok || !strings.HasSuffix(text[:end], v) {
			return 0, false
		}
		end -= len(v)
	}
	return len(text) - end, true
}

// search finds the leftmost place of a piece and returns where it ends. The piece
// begins with a literal or a variable.
func (m *matcher) search(pc piece, text string) (int, bool) {
	first, ok := m.value(&pc[0])
	if !ok {
		return 0, false
	}
	for from := 0; from <= len(text); {
		at := strings.Index(text[from:], first)
		if at < 0 {
			m.steps += len(text) - from
			return 0, false
		}
		m.steps += at
		from += at
		if n, ok := m.head(pc, text[from:]); ok {
			return from + n, true
		}
		_, w := utf8.DecodeRuneInString(text[from:])
		from += max(w, 1)
	}
	return 0, false
}

// expand returns the pattern's text with its variables replaced, for operators that
// compare whole texts; false when a variable has no value. The pattern has no
// wildcards.
func (m *matcher) expand(p *pattern) (string, bool) {
	if p.form == exactForm {
		return p.lead, true
	}
	var b strings.Builder
	for _, pc := range p.pieces {
		for i := range pc {
			v, ok := m.value(&pc[i])
			if !ok {
				return "", false
			}
			b.WriteString(v)
		}
	}
	return b.String(), true
}
