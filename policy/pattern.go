package policy

import (
	"strings"
)

// token is one element of a pattern. A policy's text is cut into tokens once, when it
// is parsed, and a variable's value is compared as it stands: data never becomes a
// wildcard.
type token struct {
	kind tokenKind
	text string  // of literal; of variable: its default
	key  keyName // of variable
	def  bool    // variable has a default
}

type tokenKind uint8

const (
	literal  tokenKind = iota
	anyText            // *
	oneChar            // ?
	variable           // ${key} or ${key, 'default'}
)

// syntaxOf says what a pattern's text may hold besides ordinary characters.
type syntaxOf struct {
	wildcards bool // * and ?
	variables bool // ${…}: only in documents of version 2012-10-17
}

// tokens cuts text. What looks like a variable and is not one is ordinary text.
func (x syntaxOf) tokens(text string) []token {
	var out []token
	var lit strings.Builder
	add := func(t token) {
		if lit.Len() > 0 {
			out = append(out, token{kind: literal, text: lit.String()})
			lit.Reset()
		}
		out = append(out, t)
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		if x.wildcards && c == '*' {
			add(token{kind: anyText})
			continue
		}
		if x.wildcards && c == '?' {
			add(token{kind: oneChar})
			continue
		}
		v, n := token{}, 0
		if x.variables && c == '$' {
			v, n = readVariable(text[i:])
		}
		switch {
		case n == 0:
			lit.WriteByte(c)
		case v.kind == literal:
			lit.WriteString(v.text)
			i += n - 1
		default:
			add(v)
			i += n - 1
		}
	}
	if lit.Len() > 0 {
		out = append(out, token{kind: literal, text: lit.String()})
	}
	return out
}

// maxVariable is the longest ${…} that is read as one, in bytes: far more than a key
// and a tag value, and little enough that a text full of ${ costs no more than its
// length.
const maxVariable = 1024

// readVariable reads ${key}, ${key, 'default'} or one of the escapes ${*}, ${?}, ${$}
// at the start of s and returns its length, 0 when there is none.
func readVariable(s string) (token, int) {
	if !strings.HasPrefix(s, "${") {
		return token{}, 0
	}
	s = s[:min(len(s), maxVariable)]
	end := strings.IndexByte(s, '}')
	if end < 0 {
		return token{}, 0
	}
	body := s[2:end]
	switch body {
	case "":
		return token{}, 0
	case "*", "?", "$":
		return token{kind: literal, text: body}, end + 1
	}
	name, rest, found := strings.Cut(body, ",")
	if !found {
		return token{kind: variable, key: newKeyName(strings.TrimSpace(name))}, end + 1
	}
	// The default may itself hold a brace, so it ends with '} and not with }.
	open := 2 + len(name) + 1 + len(rest) - len(strings.TrimLeft(rest, " "))
	if open >= len(s) || s[open] != '\'' {
		return token{}, 0
	}
	def, _, ok := strings.Cut(s[open+1:], "'}")
	if !ok {
		return token{}, 0
	}
	v := token{kind: variable, key: newKeyName(strings.TrimSpace(name)), text: def, def: true}
	return v, open + 1 + len(def) + 2
}

// pattern is text with wildcards and variables, compiled.
type pattern struct {
	source string
	lead   string // the literal text that it begins with
	form   patternForm
	vars   bool
	// The pattern is pieces[0] * pieces[1] * … : the first piece stands at the start
	// of the text, the last at its end, and each in between at the leftmost place
	// that fits, which never shuts out a later piece. No piece after a * begins
	// with ?, because *? and ?* are the same.
	pieces []piece
}

// patternForm tells the patterns that need no search from the others.
type patternForm uint8

const (
	exactForm   patternForm = iota // lead is all there is
	prefixForm                     // lead and one * at the end
	generalForm                    // the pieces
)

// piece is a run of literals, variables and ? between two *.
type piece []token

func (x syntaxOf) compile(source string) pattern {
	p := pattern{source: source}
	if !strings.ContainsAny(source, "*?$") {
		p.lead = source
		return p
	}
	toks := x.tokens(source)
	if len(toks) == 1 && toks[0].kind == literal {
		p.lead = toks[0].text
		return p
	}
	p.form = generalForm
	cur, star := piece{}, false
	for _, t := range toks {
		switch {
		case t.kind == anyText && !star:
			p.pieces = append(p.pieces, cur)
			cur, star = piece{}, true
		case t.kind == anyText: // ** is *
		case t.kind == oneChar && star:
			last := len(p.pieces) - 1
			p.pieces[last] = append(p.pieces[last], t)
		default:
			p.vars = p.vars || t.kind == variable
			cur, star = append(cur, t), false
		}
	}
	p.pieces = append(p.pieces, cur)
	first := p.pieces[0]
	if len(first) > 0 && first[0].kind == literal {
		p.lead = first[0].text
	}
	if len(p.pieces) == 2 && len(cur) == 0 && (len(first) == 0 || len(first) == 1 && p.lead != "") {
		p.form = prefixForm
	}
	return p
}

// ends returns which bytes at both ends of a text that fits are literal, and what
// they are.
func (p *pattern) ends() (mask, bytes ends) {
	head, tail := p.lead, p.lead
	if p.form != exactForm {
		tail = ""
		if last := p.pieces[len(p.pieces)-1]; len(last) > 0 && last[len(last)-1].kind == literal {
			tail = last[len(last)-1].text
		}
	}
	mask = ends{lowBytes(len(head)), ^lowBytes(8 - len(tail))}
	return mask, ends{endsOf(head).first, endsOf(tail).last}
}

// lowBytes has all bits of the lowest n bytes set, of at most eight.
func lowBytes(n int) uint64 { return ^(^uint64(0) << (8 * max(0, min(n, 8)))) }

// any reports whether the pattern is * alone.
func (p *pattern) any() bool { return p.form == prefixForm && p.lead == "" }

// literal reports whether the pattern means the very text that was written.
func (p *pattern) literal() bool { return p.form == exactForm && p.lead == p.source }

// keys appends the names of the pattern's variables.
func (p *pattern) keys(names []string) []string {
	for _, pc := range p.pieces {
		for _, t := range pc {
			if t.kind == variable {
				names = append(names, t.key.name)
			}
		}
	}
	return names
}
