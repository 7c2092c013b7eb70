package policy

import "sync"

// Situation is the policies that apply to one principal. It is immutable once used,
// and then safe for concurrent use.
type Situation struct {
	Identity []*Policy   // inline, attached, through groups
	Boundary []*Policy   // nil: none set
	Session  []*Policy   // nil: none passed; empty: one that allows nothing
	SCPs     [][]*Policy // each level must allow; nil: none

	list    sync.Once // guards digests
	digests []string  // see Explanation.Digests
}

// question is a request made ready for comparing.
type question struct {
	request  *Request
	caller   *Caller
	action   actionName
	resource resourceName
	matcher  matcher
}

func newQuestion(r *Request, c *Caller) question {
	return question{
		request:  r,
		caller:   c,
		action:   actionName{text: r.Action, hash: foldHash(r.Action)},
		resource: resourceName{text: r.Resource},
		matcher:  matcher{ctx: &r.Context},
	}
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
		for _, e := range p.index.of(q.action.hash) {
			s := &p.statements[e.statement]
			if f.wants(s) {
				q.askStatement(p, s, s.actions[e.action].match(&q.action), f)
			}
			if f.deny.policy != nil {
				return
			}
		}
		for _, i := range p.index.wild {
			s := &p.statements[i]
			if f.wants(s) {
				q.askStatement(p, s, s.testAction(&q.action), f)
			}
			if f.deny.policy != nil {
				return
			}
		}
	}
}

// wants reports whether the statement can change what was found.
func (f *finding) wants(s *statement) bool { return s.effect == Deny || f.reach < direct }

func (q *question) askStatement(p *Policy, s *statement, action truth, f *finding) {
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
// and session policy. A trust policy also has to allow: nobody assumes a role that does
// not trust them (IAM User Guide, "Roles terms and concepts").
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
	if q.ask(resource, &res); res.deny.policy != nil {
		return verdict{ExplicitDeny, ResourceLayer, res.deny}
	}
	if q.ask(s.Identity, &identity); identity.deny.policy != nil {
		return verdict{ExplicitDeny, IdentityLayer, identity.deny}
	}
	if q.ask(s.Boundary, &boundary); boundary.deny.policy != nil {
		return verdict{ExplicitDeny, BoundaryLayer, boundary.deny}
	}
	if q.ask(s.Session, &session); session.deny.policy != nil {
		return verdict{ExplicitDeny, SessionLayer, session.deny}
	}
	switch {
	case blocked:
		return verdict{layer: ServiceControlLayer}
	case res.allow.policy == nil && isTrust(resource):
		return verdict{layer: ResourceLayer}
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

// isTrust reports whether the policy that takes part is a role's trust policy.
func isTrust(resource []*Policy) bool { return len(resource) > 0 && resource[0].kind == Trust }

// nobody is the situation of a nil Situation.
var nobody Situation

// Decide returns the outcome alone. A nil Situation allows nothing.
func (s *Situation) Decide(r *Request) Outcome {
	if s == nil {
		return ImplicitDeny
	}
	q := newQuestion(r, nil)
	return s.decide(&q, nil).outcome
}

// DecideFor decides with a resource or trust policy taking part, as one caller within
// the account. A nil Situation allows nothing by itself; the policy may still allow. A
// trust policy that does not allow ends in an implicit deny, whatever the others allow.
func (s *Situation) DecideFor(c Caller, resource *Policy, r *Request) Outcome {
	if s == nil {
		s = &nobody
	}
	q := newQuestion(r, &c)
	return s.decide(&q, listOf(resource)).outcome
}

// listOf is the list of one policy, or nil without one.
func listOf(p *Policy) []*Policy {
	if p == nil {
		return nil
	}
	return []*Policy{p}
}
