package policy

import (
	"cmp"
	"slices"
	"strings"
)

// actionPattern is one entry of an Action or NotAction element. Actions are compared
// without regard to case.
type actionPattern struct {
	source string
	lower  string
	prefix string // of lower, up to the first wildcard
	kind   actionKind
	odd    bool // a wildcard for or inside the service prefix: contested
}

type actionKind uint8

const (
	plainAction  actionKind = iota // no wildcard
	everyAction                    // * or *:*
	prefixAction                   // one wildcard, a * at the end
	globAction                     // anything else
)

func compileAction(source string) actionPattern {
	p := actionPattern{source: source, lower: lowerText(source)}
	p.prefix = p.lower
	if i := strings.IndexAny(source, "*?"); i >= 0 {
		p.prefix = p.lower[:i]
		p.kind = globAction
		if i == len(source)-1 && source[i] == '*' {
			p.kind = prefixAction
		}
	}
	if source == "*" || source == "*:*" {
		p.kind = everyAction
	}
	vendor, _, _ := strings.Cut(source, ":")
	p.odd = p.kind != everyAction && strings.ContainsAny(vendor, "*?")
	return p
}

// match compares with the name of an action in lower case.
func (p *actionPattern) match(action []byte) truth {
	n := len(p.prefix)
	if len(action) < n || string(action[:n]) != p.prefix {
		return no
	}
	switch {
	case p.kind == plainAction:
		return truthOf(len(action) == n)
	case p.kind == globAction && !globBytes(p.lower[n:], action[n:]):
		return no
	case p.odd:
		return unsure
	default:
		return yes
	}
}

// globBytes matches text with a pattern of * and ?. On a mismatch it goes back to the
// last * only, so the steps are at most the product of the lengths; names of actions
// are short.
func globBytes(pattern string, text []byte) bool {
	p, t := 0, 0
	star, mark := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// actionIndex finds the statements of a policy that may speak about an action,
// without looking at the others.
type actionIndex struct {
	exact []indexed // statements that name the action, sorted by hash, then statement
	wild  []int32   // statements with a wildcard or NotAction, in order
}

type indexed struct {
	hash      uint64 // of the action
	statement int32
	action    int32 // which of the statement's actions
}

func (p *Policy) indexActions() {
	ix := &p.index
	n := 0
	for i := range p.statements {
		n += len(p.statements[i].actions)
	}
	ix.exact = make([]indexed, 0, n)
	for i := range p.statements {
		s := &p.statements[i]
		wild := s.notAction
		for j := range s.actions {
			wild = wild || s.actions[j].kind != plainAction
		}
		if wild {
			ix.wild = append(ix.wild, int32(i))
			continue
		}
		for j := range s.actions {
			ix.exact = append(ix.exact, indexed{foldHash(s.actions[j].lower), int32(i), int32(j)})
		}
	}
	slices.SortFunc(ix.exact, func(a, b indexed) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.statement, b.statement))
	})
}

// of returns the entries of the statements that name the action. Their hash is
// equal, and so the action almost certainly is.
func (ix *actionIndex) of(hash uint64) []indexed {
	low, high := 0, len(ix.exact)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if ix.exact[mid].hash < hash {
			low = mid + 1
		} else {
			high = mid
		}
	}
	for high < len(ix.exact) && ix.exact[high].hash == hash {
		high++
	}
	return ix.exact[low:high]
}
