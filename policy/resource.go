package policy

import (
	"strings"

	"github.com/refward/refward/arn"
)

// arnPattern is a pattern for ARNs, compiled: of the Resource element or of an ARN
// condition operator.
type arnPattern struct {
	source string
	every  bool   // * alone
	whole  bool   // it has six parts, or was completed to six, the first of them arn
	short  bool   // it was completed
	name   string // the only name that fits, when there is no wildcard and no variable

	// What every name that fits begins with, parts and their colons, and the parts
	// after it that are not * alone.
	head  string
	parts []arnPart
	mask  ends // the literal bytes at both ends of the resource
	ends  ends // what they are

	// text is the whole pattern as one glob, for the contested readings of a
	// pattern that has too few parts and no * at its end.
	text *pattern
	// early says that a variable stands before the fifth colon, where AWS documents
	// none; late that one stands after it.
	early, late bool
}

// arnPart is a part after the word arn: 0 is the partition, 4 the resource.
type arnPart struct {
	pattern
	at int
}

func compileARN(source string, variables bool) arnPattern {
	p := arnPattern{source: source}
	if source == "*" {
		p.every = true
		return p
	}
	x := syntaxOf{wildcards: true, variables: variables}
	split := arn.SplitPattern(source)
	if !variables && strings.Contains(source, "${") {
		split = splitPlain(source)
	}
	p.whole = len(split) == 6 && split[0] == "arn"
	full := strings.Join(split, ":")
	p.short = full != source
	if !p.whole || p.short && !strings.HasSuffix(source, "*") {
		text := x.compile(source)
		p.text = &text
	}
	if !p.whole {
		return p
	}
	headEnd, inHead := len("arn:"), true
	for i, s := range split[1:] {
		part := arnPart{x.compile(s), i}
		inHead = inHead && part.literal() && (i == 4 || !strings.Contains(s, ":"))
		switch {
		case inHead && i == 4:
			p.name = source
		case inHead:
			headEnd += len(s) + 1
		case !part.any():
			p.parts = append(p.parts, part)
			if i == 4 {
				p.mask, p.ends = part.ends()
			}
		}
		p.early = p.early || part.vars && i < 4
		p.late = p.late || part.vars && i == 4
	}
	p.head = full[:headEnd]
	return p
}

// splitPlain cuts a pattern of a document without variables, where braces are
// ordinary text.
func splitPlain(source string) []string {
	parts := strings.SplitN(source, ":", 6)
	for len(parts) < 6 {
		parts = append(parts, "*")
	}
	return parts
}

// resourceName is the name of a resource. It is cut into its parts when they are
// first asked for.
type resourceName struct {
	text   string
	state  cutState
	colons [5]int
	ends   ends // of the resource
}

type cutState uint8

const (
	uncut cutState = iota
	notARN
	isARN
)

// ok reports whether the name is an ARN.
func (r *resourceName) ok() bool {
	if r.state == uncut {
		r.state = r.cut()
	}
	return r.state == isARN
}

func (r *resourceName) cut() cutState {
	if !strings.HasPrefix(r.text, "arn:") {
		return notARN
	}
	at := len("arn")
	for i := range r.colons {
		r.colons[i] = at
		if i == len(r.colons)-1 {
			break
		}
		n := strings.IndexByte(r.text[at+1:], ':')
		if n < 0 {
			return notARN
		}
		at += 1 + n
	}
	r.ends = endsOf(r.text[at+1:])
	return isARN
}

// ends is the first and the last eight bytes of a text, filled up with zeros. Most
// patterns that do not fit a name differ there.
type ends struct{ first, last uint64 }

func endsOf(s string) ends {
	if len(s) >= 8 {
		return ends{load8(s), load8(s[len(s)-8:])}
	}
	var e ends
	for i := 0; i < len(s); i++ {
		e.first |= uint64(s[i]) << (8 * i)
		e.last |= uint64(s[i]) << (64 - 8*(len(s)-i))
	}
	return e
}

// differ reports whether the name has other bytes where the pattern has literal ones.
func (p *arnPattern) differ(r *resourceName) bool {
	return (r.ends.first^p.ends.first)&p.mask.first|(r.ends.last^p.ends.last)&p.mask.last != 0
}

// part returns a part of a name that is an ARN.
func (r *resourceName) part(i int) string {
	if i == len(r.colons)-1 {
		return r.text[r.colons[i]+1:]
	}
	return r.text[r.colons[i]+1 : r.colons[i+1]]
}

// matchParts matches part by part, the resource first because the others seldom
// differ.
func (p *arnPattern) matchParts(m *matcher, r *resourceName) bool {
	if p.name != "" {
		return p.name == r.text
	}
	for i := len(p.parts) - 1; i >= 0; i-- {
		if !m.match(&p.parts[i].pattern, r.part(p.parts[i].at)) {
			return false
		}
	}
	return strings.HasPrefix(r.text, p.head)
}

// matchResource answers for the Resource element.
func (p *arnPattern) matchResource(m *matcher, r *resourceName) truth {
	switch {
	case p.every:
		return yes
	case p.name != "":
		return truthOf(p.name == r.text)
	case !r.ok():
		return no
	case p.whole && !p.differ(r) && p.matchParts(m, r):
		if p.early {
			return unsure
		}
		return yes
	case p.text != nil:
		// arn:aws:codecommit:*:app: a * at the end of a part may stretch over colons.
		return min(unsure, truthOf(m.match(p.text, r.text)))
	default:
		return no
	}
}

// matchNotResource answers whether a pattern of the NotResource element excludes
// the resource. With a variable that has no value it may be said to exclude nothing
// or to spoil the statement: contested.
func (p *arnPattern) matchNotResource(m *matcher, r *resourceName) truth {
	if !m.boundARN(p) {
		return unsure
	}
	return p.matchResource(m, r)
}

// matchCondition answers for ARN condition operators: both sides need six parts, and
// * alone or a short pattern, filled up or not, fits nothing.
func (p *arnPattern) matchCondition(m *matcher, text string, negated bool) truth {
	r := resourceName{text: text}
	ok := r.ok()
	switch {
	case !ok && negated:
		return unsure
	case !ok || p.every:
		return no
	case p.text != nil && p.text.vars:
		// A variable may stand for several parts; whether it is cut before or after
		// its value is inserted is contested.
		return min(unsure, truthOf(m.match(p.text, text)))
	case !p.whole || p.short || !p.matchParts(m, &r):
		return no
	case p.early || p.late && strings.Contains(r.part(4), ":"):
		return unsure
	default:
		return yes
	}
}

// boundARN reports whether every variable of the pattern has a value.
func (m *matcher) boundARN(p *arnPattern) bool {
	if p.text != nil {
		return m.bound(p.text)
	}
	for i := range p.parts {
		if p.parts[i].vars && !m.bound(&p.parts[i].pattern) {
			return false
		}
	}
	return true
}

// keys appends the names of the pattern's variables.
func (p *arnPattern) keys(names []string) []string {
	if p.text != nil {
		return p.text.keys(names)
	}
	for i := range p.parts {
		names = p.parts[i].keys(names)
	}
	return names
}
