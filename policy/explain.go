package policy

import (
	"slices"
	"strconv"
	"strings"
)

// Explanation is a decision with its reasons. Making one costs little more than
// deciding; the details are worked out when asked for. It is safe for concurrent use as
// long as the request does not change.
type Explanation struct {
	verdict
	situation *Situation
	request   *Request
	caller    *Caller
	resource  []*Policy
	reason    string // of an Allow that no policy decided
}

// Unconditional is an Allow that no policy decided.
func Unconditional(reason string) *Explanation {
	return &Explanation{verdict: verdict{outcome: Allow}, situation: &nobody, request: &Request{}, reason: reason}
}

// Explain decides and says why. The outcome is always that of [Situation.Decide].
func (s *Situation) Explain(r *Request) *Explanation {
	return s.explain(nil, nil, r)
}

// ExplainFor is [Situation.DecideFor] with reasons.
func (s *Situation) ExplainFor(c Caller, resource *Policy, r *Request) *Explanation {
	return s.explain(&c, listOf(resource), r)
}

func (s *Situation) explain(c *Caller, resource []*Policy, r *Request) *Explanation {
	if s == nil {
		s = &nobody
	}
	q := newQuestion(r, c)
	return &Explanation{verdict: s.decide(&q, resource), situation: s, request: r, caller: c, resource: resource}
}

// Outcome returns what the decision came to.
func (e *Explanation) Outcome() Outcome { return e.outcome }

// Layer returns the kind of policy that decided: that of the Deny, the one that did
// not allow, or the one that allowed.
func (e *Explanation) Layer() Layer { return e.layer }

// Digests returns the SHA-256 of every document that was evaluated, in hexadecimal,
// sorted, each once. The list is shared and must not be changed.
func (e *Explanation) Digests() []string {
	if e.resource != nil {
		return e.listDigests()
	}
	s := e.situation
	s.list.Do(func() { s.digests = e.listDigests() })
	return s.digests
}

func (e *Explanation) listDigests() []string {
	layers, n := e.layers(), 0
	for _, l := range layers {
		n += len(l.policies)
	}
	out := make([]string, 0, n)
	for _, l := range layers {
		for _, p := range l.policies {
			out = append(out, p.digest)
		}
	}
	slices.Sort(out)
	return slices.Clip(slices.Compact(out))
}

// Match is one statement that took part in a decision.
type Match struct {
	Layer     Layer
	Policy    *Policy
	Statement int // 1-based
}

// Deciding returns every statement that made the outcome what it is: of an explicit
// deny all Deny statements that apply, of an allow all Allow statements that apply,
// of an implicit deny none.
func (e *Explanation) Deciding() []Match {
	effect := Deny
	switch {
	case e.outcome == ImplicitDeny:
		return nil
	case e.outcome == Allow:
		effect = Permit
	}
	q := e.question()
	var out []Match
	for _, l := range e.layers() {
		for _, p := range l.policies {
			for i := range p.statements {
				if s := &p.statements[i]; s.effect == effect {
					if ok, _ := s.applies(q); ok {
						out = append(out, Match{l.layer, p, s.index})
					}
				}
			}
		}
	}
	return out
}

// layerPolicies is one layer that took part. Levels of service control policies are a
// layer each.
type layerPolicies struct {
	layer    Layer
	policies []*Policy
}

// layers returns the layers that took part, in the order of evaluation.
func (e *Explanation) layers() []layerPolicies {
	s := e.situation
	out := make([]layerPolicies, 0, 4+len(s.SCPs))
	for _, level := range s.SCPs {
		out = append(out, layerPolicies{ServiceControlLayer, level})
	}
	if e.resource != nil {
		out = append(out, layerPolicies{ResourceLayer, e.resource})
	}
	out = append(out, layerPolicies{IdentityLayer, s.Identity})
	if s.Boundary != nil {
		out = append(out, layerPolicies{BoundaryLayer, s.Boundary})
	}
	if s.Session != nil {
		out = append(out, layerPolicies{SessionLayer, s.Session})
	}
	return out
}

// Line says in one line what decided, for example
//
//	explicit deny: policy DenyChangesToMaster of group Juniors, statement 2 "DenyMaster"
//
// and for an implicit deny what came nearest to allowing.
func (e *Explanation) Line() string {
	if e.reason != "" {
		return "allow: " + e.reason
	}
	if e.by.policy != nil {
		var room [160]byte
		b := append(room[:0], e.outcome.words()...)
		b = append(b, ": "...)
		return string(e.by.appendTo(b))
	}
	return "implicit deny: no " + e.layer.String() + " allows " + oneLine(e.request.Action) + "; " + e.nearest()
}

// String names the statement for people.
func (r ref) String() string {
	return string(r.appendTo(nil))
}

func (r ref) appendTo(b []byte) []byte {
	b = append(b, "policy "...)
	b = append(b, oneLine(r.policy.source.Name)...)
	if o := r.policy.source.Owner; o != "" {
		b = append(b, " of "...)
		b = append(b, oneLine(o)...)
	}
	b = append(b, ", statement "...)
	b = strconv.AppendInt(b, int64(r.statement.index), 10)
	if r.statement.sid != "" {
		b = append(b, ` "`...)
		b = append(b, oneLine(clip(r.statement.sid))...)
		b = append(b, '"')
	}
	return b
}

// oneLine makes text fit for a terminal: control characters become blanks.
func oneLine(s string) string {
	if plainASCII(s) {
		return s
	}
	control := func(c rune) bool { return c < ' ' || c >= 0x7F && c < 0xA0 }
	return strings.Map(func(c rune) rune {
		if control(c) {
			return ' '
		}
		return c
	}, s)
}

// plainASCII reports whether every byte is a character of ASCII that prints.
func plainASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] >= 0x7F {
			return false
		}
	}
	return true
}
