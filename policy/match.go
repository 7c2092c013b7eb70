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
}

// match reports whether the whole text fits the pattern, case-sensitive. A pattern
// with a variable that has no value fits nothing.
func (m *matcher) match(p *pattern, text string) bool {
	if p.exact {
		return p.text == text
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
				if _, ok := pc[i].value(m.ctx); !ok {
					return false
				}
			}
		}
	}
	return true
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
		v, ok := pc[i].value(m.ctx)
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
		v, ok := pc[i].value(m.ctx)
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
	first, ok := pc[0].value(m.ctx)
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
	if p.exact {
		return p.text, true
	}
	var b strings.Builder
	for _, pc := range p.pieces {
		for i := range pc {
			v, ok := pc[i].value(m.ctx)
			if !ok {
				return "", false
			}
			b.WriteString(v)
		}
	}
	return b.String(), true
}
