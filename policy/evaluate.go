package policy

import "github.com/refward/refward/arn"

// Situation is the policies that apply to one principal. It is immutable once used,
// and then safe for concurrent use.
type Situation struct {
	Identity []*Policy   // inline, attached, through groups
	Boundary []*Policy   // nil: none set
	Session  []*Policy   // nil: none passed; empty: one that allows nothing
	SCPs     [][]*Policy // each level must allow; nil: none
}

// question is a request made ready for comparing.
type question struct {
	request  *Request
	resource resourceName
	action   []byte // in lower case
	hash     uint64 // of the action
	caller   *Caller
	matcher  matcher
}

// actionBuffer has room for the longest name of an action that there is. Whoever
// makes a question keeps it on the stack.
type actionBuffer [64]byte

func newQuestion(r *Request, c *Caller, buffer []byte) question {
	q := question{request: r, caller: c, hash: foldHash(r.Action), action: appendLower(buffer, r.Action)}
	q.matcher.ctx = &r.Context
	q.resource.text = r.Resource
	q.resource.arn, q.resource.ok = arn.Cut(r.Resource)
	return q
}

// finding is what a list of policies says.
type finding struct {
	deny, allow ref
	reach       reach // of allow, the greatest there is
}

// ref points at a statement of a policy; the zero ref at none.
type ref struct {
	policy    *Policy
	statement *statement
}

// ask looks for a statement that denies and for one that allows, and stops at the
// first that denies.
func (q *question) ask(policies []*Policy, f *finding) {
	for _, p := range policies {
		for _, e := range p.index.of(q.hash) {
			s := &p.statements[e.statement]
			if q.askStatement(p, s, s.actions[e.action].match(q.action), f); f.deny.policy != nil {
				return
			}
		}
		for _, i := range p.index.wild {
			s := &p.statements[i]
			if q.askStatement(p, s, s.testAction(q.action), f); f.deny.policy != nil {
				return
			}
		}
	}
}

func (q *question) askStatement(p *Policy, s *statement, action truth, f *finding) {
	if action == no || s.effect == Permit && f.reach == direct {
		return // nothing to win
	}
	ok, r := s.appliesAfter(q, action)
	switch {
	case !ok:
	case s.effect == Deny:
		f.deny = ref{p, s}
	case r > f.reach:
		f.allow, f.reach = ref{p, s}, r
	}
}

// verdict is an outcome and what it rests on.
type verdict struct {
	outcome Outcome
	layer   Layer
	by      ref // the statement that decided; none for an implicit deny
}

// decide follows IAM User Guide, "Policy evaluation logic": a Deny in any layer
// ends it; then every layer that is set has to allow. A resource policy may stand in
// for the identity policies, and, by how directly it names the caller, for boundary
// and session policy.
func (s *Situation) decide(q *question, resource []*Policy) verdict {
	var identity, boundary, session, res finding
	blocked := false
	for _, level := range s.SCPs {
		var f finding
		if q.ask(level, &f); f.deny.policy != nil {
			return verdict{ExplicitDeny, ServiceControlLayer, f.deny}
		}
		blocked = blocked || f.allow.policy == nil
	}
	for _, l := range [...]struct {
		layer    Layer
		policies []*Policy
		found    *finding
	}{
		{ResourceLayer, resource, &res},
		{IdentityLayer, s.Identity, &identity},
		{BoundaryLayer, s.Boundary, &boundary},
		{SessionLayer, s.Session, &session},
	} {
		if q.ask(l.policies, l.found); l.found.deny.policy != nil {
			return verdict{ExplicitDeny, l.layer, l.found.deny}
		}
	}
	switch {
	case blocked:
		return verdict{layer: ServiceControlLayer}
	case res.reach == direct:
		return verdict{Allow, ResourceLayer, res.allow}
	case identity.allow.policy == nil && res.reach != viaRole:
		return verdict{layer: IdentityLayer}
	case s.Boundary != nil && boundary.allow.policy == nil:
		return verdict{layer: BoundaryLayer}
	case s.Session != nil && session.allow.policy == nil:
		return verdict{layer: SessionLayer}
	case identity.allow.policy == nil:
		return verdict{Allow, ResourceLayer, res.allow}
	default:
		return verdict{Allow, IdentityLayer, identity.allow}
	}
}

// nobody is the situation of a nil Situation.
var nobody Situation

// Decide returns the outcome alone. A nil Situation allows nothing.
func (s *Situation) Decide(r *Request) Outcome {
	if s == nil {
		return ImplicitDeny
	}
	var buffer actionBuffer
	q := newQuestion(r, nil, buffer[:0])
	return s.decide(&q, nil).outcome
}

// DecideFor decides with a resource or trust policy taking part, as one caller within
// the account. A nil Situation allows nothing by itself; the policy may still allow.
func (s *Situation) DecideFor(c Caller, resource *Policy, r *Request) Outcome {
	if s == nil {
		s = &nobody
	}
	var buffer actionBuffer
	q := newQuestion(r, &c, buffer[:0])
	return s.decide(&q, listOf(resource)).outcome
}

// listOf is the list of one policy, or nil without one.
func listOf(p *Policy) []*Policy {
	if p == nil {
		return nil
	}
	return []*Policy{p}
}
