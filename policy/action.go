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
	hash   uint64 // of the source without regard to case, where there is no wildcard
	kind   actionKind
	odd    bool // a wildcard for or inside the service prefix: contested

	// In lower case, of a pattern with wildcards: what stands before the first of
	// them, and the rest.
	prefix, rest string
}

type actionKind uint8

const (
	plainAction  actionKind = iota // no wildcard
	everyAction                    // * or *:*
	prefixAction                   // one wildcard, a * at the end
	globAction                     // anything else
)

func compileAction(source string) actionPattern {
	p := actionPattern{source: source}
	i := strings.IndexAny(source, "*?")
	if i < 0 {
		p.hash = foldHash(source)
		return p
	}
	low := lowerText(source)
	p.prefix, p.rest = low[:i], low[i:]
	switch {
	case source == "*" || source == "*:*":
		p.kind = everyAction
	case p.rest == "*":
		p.kind = prefixAction
	default:
		p.kind = globAction
	}
	vendor, _, _ := strings.Cut(source, ":")
	p.odd = p.kind != everyAction && strings.ContainsAny(vendor, "*?")
	return p
}

// actionName is the action of a request.
type actionName struct {
	text string
	hash uint64

	// In lower case, once it was asked for. There is room for the longest name of an
	// action that there is.
	low    [64]byte
	hasLow bool
}

func (a *actionName) lower() []byte {
	if len(a.text) > len(a.low) {
		return appendLower(nil, a.text)
	}
	if !a.hasLow {
		appendLower(a.low[:0], a.text)
		a.hasLow = true
	}
	return a.low[:len(a.text)]
}

func (p *actionPattern) match(action *actionName) truth {
	if p.kind == plainAction {
		// Names of actions begin alike: their hashes tell most of them apart at once.
		return truthOf(p.hash == action.hash && foldEqual(p.source, action.text))
	}
	n, low := len(p.prefix), action.lower()
	switch {
	case len(low) < n || string(low[:n]) != p.prefix:
		return no
	case p.kind == globAction && !globBytes(p.rest, low[n:]):
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
//
// Of the statements about one action those that deny come first, because a Deny that
// applies ends the search.
type actionIndex struct {
	exact []indexed // statements that name the action, sorted by hash
	wild  []int32   // statements with a wildcard or NotAction
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
	for _, effect := range [...]Effect{Deny, Permit} {
		for i := range p.statements {
			s := &p.statements[i]
			switch {
			case s.effect != effect:
			case s.wild():
				ix.wild = append(ix.wild, int32(i))
			default:
				for j := range s.actions {
					ix.exact = append(ix.exact, indexed{s.actions[j].hash, int32(i), int32(j)})
				}
			}
		}
	}
	slices.SortStableFunc(ix.exact, func(a, b indexed) int { return cmp.Compare(a.hash, b.hash) })
}

// wild reports whether the statement may speak about actions that it does not name.
func (s *statement) wild() bool {
	return s.notAction || slices.ContainsFunc(s.actions, func(p actionPattern) bool { return p.kind != plainAction })
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
