package policy

// statement is a Statement, compiled.
type statement struct {
	source       *Statement
	index        int // 1-based
	sid          string
	effect       Effect
	principals   []Principal
	notPrincipal bool
	actions      []actionPattern
	notAction    bool
	resources    []arnPattern
	notResource  bool
	noResource   bool // a trust policy's: the role itself
	conditions   []condition
}

// compile makes the statements and their index from the document.
func (p *Policy) compile() {
	variables := p.document.Variables()
	actions, resources, conditions := 0, 0, 0
	for i := range p.document.Statements {
		src := &p.document.Statements[i]
		actions += len(src.Actions)
		resources += len(src.Resources)
		conditions += len(src.Conditions)
	}
	as, rs, cs := slab[actionPattern]{}, slab[arnPattern]{}, slab[condition]{}
	as.grow(actions)
	rs.grow(resources)
	cs.grow(conditions)
	p.statements = make([]statement, len(p.document.Statements))
	for i := range p.document.Statements {
		src := &p.document.Statements[i]
		s := &p.statements[i]
		*s = statement{
			source:       src,
			index:        i + 1,
			sid:          src.Sid,
			effect:       src.Effect,
			principals:   src.Principals,
			notPrincipal: src.NotPrincipal,
			notAction:    src.NotAction,
			notResource:  src.NotResource,
			noResource:   p.kind == Trust,
			actions:      as.take(len(src.Actions)),
			resources:    rs.take(len(src.Resources)),
			conditions:   cs.take(len(src.Conditions)),
		}
		for j, a := range src.Actions {
			s.actions[j] = compileAction(a)
		}
		for j, r := range src.Resources {
			s.resources[j] = compileARN(r, variables)
		}
		for j := range src.Conditions {
			s.conditions[j] = compileCondition(&src.Conditions[j], variables)
		}
	}
	p.indexActions()
}

func (s *statement) testAction(action *actionName) truth {
	t := no
	for i := range s.actions {
		if t = max(t, s.actions[i].match(action)); t == yes {
			break
		}
	}
	if s.notAction {
		return t.not()
	}
	return t
}

func (s *statement) testResource(m *matcher, r *resourceName) truth {
	if s.noResource {
		return yes
	}
	t := no
	for i := range s.resources {
		p := &s.resources[i]
		if s.notResource {
			t = max(t, p.matchNotResource(m, r))
		} else {
			t = max(t, p.matchResource(m, r))
		}
		if t == yes {
			break
		}
	}
	if s.notResource {
		return t.not()
	}
	return t
}

func (s *statement) testConditions(m *matcher) truth {
	t := yes
	for i := range s.conditions {
		if t = min(t, s.conditions[i].test(m)); t == no {
			break
		}
	}
	return t
}

// applies reports whether the statement speaks about the request, and how its
// principal element reaches the caller.
func (s *statement) applies(q *question) (bool, reach) {
	return s.appliesAfter(q, s.testAction(&q.action))
}

// appliesAfter is applies with the action's answer given. The cheapest tests come
// first.
func (s *statement) appliesAfter(q *question, t truth) (bool, reach) {
	if t == no {
		return false, unreached
	}
	who, r := s.testPrincipal(q.caller)
	if t = min(t, who); t == no {
		return false, unreached
	}
	if t = min(t, s.testResource(&q.matcher, &q.resource)); t == no {
		return false, unreached
	}
	t = min(t, s.testConditions(&q.matcher))
	return t.applies(s.effect), r
}
