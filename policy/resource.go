package policy

import (
	"strings"

	"github.com/refward/refward/arn"
)

// arnPattern is a pattern for ARNs, compiled: of the Resource element or of an ARN
// condition operator.
type arnPattern struct {
	source string
	every  bool // * alone
	whole  bool // it has six parts, or was completed to six, the first of them arn
	short  bool // it was completed
	parts  [5]pattern
	name   string // the only name that fits, when there is no wildcard and no variable
	// text is the whole pattern as one glob, for the contested readings of a
	// pattern that has too few parts and no * at its end.
	text *pattern
	// early says that a variable stands before the fifth colon, where AWS documents
	// none; late that one stands after it.
	early, late bool
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
	p.short = strings.Join(split, ":") != source
	if !p.whole || p.short && !strings.HasSuffix(source, "*") {
		text := x.compile(source)
		p.text = &text
	}
	if p.whole {
		for i, s := range split[1:] {
			p.parts[i] = x.compile(s)
			if p.parts[i].vars {
				p.early = p.early || i < 4
				p.late = p.late || i == 4
			}
		}
		p.name = p.only()
	}
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

// name is the resource of a request, cut once.
type resourceName struct {
	text string
	arn  arn.ARN
	ok   bool // it is an ARN
}

// only returns the only name that fits, or "".
func (p *arnPattern) only() string {
	a := arn.ARN{}
	for i, part := range [...]*string{&a.Partition, &a.Service, &a.Region, &a.Account, &a.Resource} {
		if !p.parts[i].exact {
			return ""
		}
		*part = p.parts[i].text
	}
	return a.String()
}

// matchParts matches part by part.
func (p *arnPattern) matchParts(m *matcher, a *arn.ARN) bool {
	return m.match(&p.parts[4], a.Resource) && m.match(&p.parts[3], a.Account) &&
		m.match(&p.parts[2], a.Region) && m.match(&p.parts[1], a.Service) &&
		m.match(&p.parts[0], a.Partition)
}

// matchResource answers for the Resource element.
func (p *arnPattern) matchResource(m *matcher, r *resourceName) truth {
	switch {
	case p.every:
		return yes
	case !r.ok:
		return no
	case p.name != "":
		return truthOf(p.name == r.text)
	case (!p.whole || !p.matchParts(m, &r.arn)) && p.text != nil:
		// arn:aws:codecommit:*:app: a * at the end of a part may stretch over colons.
		return min(unsure, truthOf(m.match(p.text, r.text)))
	case !p.matchParts(m, &r.arn):
		return no
	case p.early:
		return unsure
	default:
		return yes
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
	a, ok := arn.Cut(text)
	switch {
	case !ok && negated:
		return unsure
	case !ok || p.every:
		return no
	case p.text != nil && p.text.vars:
		// A variable may stand for several parts; whether it is cut before or after
		// its value is inserted is contested.
		return min(unsure, truthOf(m.match(p.text, text)))
	case !p.whole || p.short || !p.matchParts(m, &a):
		return no
	case p.early || p.late && strings.Contains(a.Resource, ":"):
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
		if p.parts[i].vars && !m.bound(&p.parts[i]) {
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
