package validate

import (
	"strings"

	"github.com/refward/refward/arn"
)

// glob is a pattern as letters: a letter is a rune, or one of the marks below. Runs of
// * and ? have one form, the question marks first.
type glob []rune

const (
	anyText rune = -1 // *
	oneChar rune = -2 // ?

	// firstVariable and all below it stand for variables, each for its own.
	firstVariable rune = -3
)

// syntax says what a text may hold besides ordinary characters.
type syntax struct {
	wildcards, variables, fold bool
}

// globs compiles patterns and gives the same variable the same letter everywhere.
type globs struct {
	letters map[string]rune
}

func (g *globs) compile(text string, x syntax) glob {
	if x.fold {
		text = strings.ToLower(text)
	}
	out := make(glob, 0, len(text))
	star := false // the run of wildcards at the end of out has a *
	add := func(r rune) {
		if star {
			out, star = append(out, anyText), false
		}
		out = append(out, r)
	}
	for i := 0; i < len(text); {
		if x.variables && text[i] == '$' {
			if v, n := readVariable(text[i:]); n > 0 {
				if v.escape != 0 {
					add(v.escape)
				} else {
					add(g.letter(text[i:i+n], v))
				}
				i += n
				continue
			}
		}
		r, n := decode(text[i:])
		switch {
		case x.wildcards && r == '*':
			star = true
		case x.wildcards && r == '?':
			out = append(out, oneChar)
		default:
			add(r)
		}
		i += n
	}
	if star {
		out = append(out, anyText)
	}
	return out
}

func (g *globs) letter(source string, v variable) rune {
	name := strings.ToLower(v.key)
	if v.hasDefault {
		name = source
	}
	if g.letters == nil {
		g.letters = map[string]rune{}
	}
	r, ok := g.letters[name]
	if !ok {
		r = firstVariable - rune(len(g.letters))
		g.letters[name] = r
	}
	return r
}

// Work on two patterns grows with the product of their lengths; beyond these the
// answer is the one that claims nothing.
const (
	mostInclude   = 1 << 20
	mostIntersect = 1 << 16
)

// includes reports whether every text that p matches is matched by q. It may say no
// though it is so, never the other way round: q is matched against p as if p were
// text, in which only a * of q can meet a * or a variable of p.
func (q glob) includes(p glob) bool {
	if len(q)*len(p) > mostInclude {
		return false
	}
	i, j, star, mark := 0, 0, -1, 0
	for j < len(p) {
		switch {
		case i < len(q) && q[i] == anyText:
			star, mark = i, j
			i++
		case i < len(q) && (q[i] == p[j] || q[i] == oneChar && p[j] >= 0):
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(q) && q[i] == anyText {
		i++
	}
	return i == len(q)
}

// meets reports whether some text may be matched by both. Where a variable stands
// there may be any text.
func (q glob) meets(p glob) bool {
	if (len(q)+1)*(len(p)+1) > mostIntersect {
		return true
	}
	wide := func(r rune) bool { return r == anyText || r <= firstVariable }
	// row[j] says whether what follows q[i:] meets what follows p[j:].
	row, below := make([]bool, len(p)+1), make([]bool, len(p)+1)
	for i := len(q); i >= 0; i-- {
		for j := len(p); j >= 0; j-- {
			switch {
			case i == len(q) && j == len(p):
				row[j] = true
			case i < len(q) && wide(q[i]):
				row[j] = below[j] || j < len(p) && row[j+1]
			case j < len(p) && wide(p[j]):
				row[j] = row[j+1] || i < len(q) && below[j]
			case i == len(q) || j == len(p):
				row[j] = false
			default:
				row[j] = below[j+1] && (q[i] == p[j] || q[i] == oneChar || p[j] == oneChar)
			}
		}
		row, below = below, row
	}
	return below[0]
}

// literal reports whether the pattern matches one text only.
func (q glob) literal() bool {
	for _, r := range q {
		if r < 0 {
			return false
		}
	}
	return true
}

// arnGlob is a Resource pattern by parts.
type arnGlob struct {
	source string
	every  bool     // * alone
	parts  []glob   // partition to resource; nil for a pattern without six parts and no * at its end
	early  bool     // a variable stands before the fifth colon: contested
	texts  []string // the parts as written
}

func (g *globs) compileARN(text string, variables bool) arnGlob {
	a := arnGlob{source: text, every: text == "*"}
	if !variables && strings.Contains(text, "${") {
		return a // braces are ordinary text there, and colons in them cut
	}
	parts := arn.SplitPattern(text)
	if len(parts) != 6 || parts[0] != "arn" || strings.Join(parts, ":") != text && !strings.HasSuffix(text, "*") {
		return a // of an incomplete ARN with a * before its end it is contested what it matches
	}
	a.texts = parts[1:]
	for i, p := range a.texts {
		q := g.compile(p, syntax{wildcards: true, variables: variables})
		for _, r := range q {
			a.early = a.early || i < 4 && r <= firstVariable
		}
		a.parts = append(a.parts, q)
	}
	return a
}

// includes is glob.includes, part by part.
func (q *arnGlob) includes(p *arnGlob) bool {
	if q.every || q.source == p.source {
		return true
	}
	if q.parts == nil || p.parts == nil || q.early {
		return false
	}
	for i := range q.parts {
		if !q.parts[i].includes(p.parts[i]) {
			return false
		}
	}
	return true
}

// meets is glob.meets, part by part.
func (q *arnGlob) meets(p *arnGlob) bool {
	if q.parts == nil || p.parts == nil {
		return true
	}
	for i := range q.parts {
		if !q.parts[i].meets(p.parts[i]) {
			return false
		}
	}
	return true
}
