package policy

// Trace is the whole evaluation of a request: every statement of every layer, element
// by element, none left out because another had decided already.
type Trace struct {
	Layers []LayerTrace `json:"layers"`
}

// LayerTrace is one layer that took part.
type LayerTrace struct {
	Layer    string        `json:"layer"`
	Policies []PolicyTrace `json:"policies"`
}

// PolicyTrace is one policy of a layer.
type PolicyTrace struct {
	Name       string           `json:"name"`
	Owner      string           `json:"owner,omitempty"`
	Digest     string           `json:"sha256"`
	Statements []StatementTrace `json:"statements"`
}

// StatementTrace is what one statement said.
type StatementTrace struct {
	Index      int              `json:"statement"` // 1-based
	Sid        string           `json:"sid,omitempty"`
	Effect     string           `json:"effect"`
	Start      Position         `json:"start"`
	End        Position         `json:"end"`
	Applies    bool             `json:"applies"`
	Answer     string           `json:"answer"` // yes, no, or contested: then Applies is the reading that denies more
	Elements   []ElementTrace   `json:"elements"`
	Conditions []ConditionTrace `json:"conditions,omitempty"`
}

// ElementTrace is how one of Principal, Action and Resource, or its Not twin,
// answered.
type ElementTrace struct {
	Element string `json:"element"`
	Answer  string `json:"answer"`
	Value   string `json:"value"`             // of the request
	Matched string `json:"matched,omitempty"` // the entry that met the value
}

// ConditionTrace is how one operator and key answered.
type ConditionTrace struct {
	Operator string   `json:"operator"`
	Key      string   `json:"key"`
	Answer   string   `json:"answer"`
	Missing  bool     `json:"missing,omitempty"` // the request does not carry the key
	Values   []string `json:"values,omitempty"`  // of the request
	Wanted   []string `json:"wanted"`            // as the policy writes them
	Pairs    []Pair   `json:"pairs,omitempty"`   // which value met which
}

// Pair is a value of the request that met a value of a condition, before negation.
type Pair struct {
	Value  string `json:"value"`
	Wanted string `json:"wanted"`
}

// Trace works out the whole evaluation.
func (e *Explanation) Trace() *Trace {
	q := e.question()
	t := &Trace{}
	for _, l := range e.layers() {
		lt := LayerTrace{Layer: l.layer.String(), Policies: []PolicyTrace{}}
		for _, p := range l.policies {
			pt := PolicyTrace{Name: p.source.Name, Owner: p.source.Owner, Digest: p.digest}
			for i := range p.statements {
				pt.Statements = append(pt.Statements, q.trace(&p.statements[i]))
			}
			lt.Policies = append(lt.Policies, pt)
		}
		t.Layers = append(t.Layers, lt)
	}
	return t
}

func (e *Explanation) question() *question {
	q := newQuestion(e.request, e.caller)
	return &q
}

// trace tests every element of a statement, whatever the others say.
func (q *question) trace(s *statement) StatementTrace {
	t := StatementTrace{
		Index:  s.index,
		Sid:    s.sid,
		Effect: s.effect.String(),
		Start:  s.source.Start,
		End:    s.source.End,

		Elements:   make([]ElementTrace, 0, 3),
		Conditions: make([]ConditionTrace, 0, len(s.conditions)),
	}
	all := yes
	add := func(element string, not bool, answer truth, value, matched string) {
		if not {
			element = "Not" + element
		}
		all = min(all, answer)
		t.Elements = append(t.Elements, ElementTrace{element, answer.String(), value, matched})
	}
	if len(s.principals) > 0 {
		answer, _ := s.testPrincipal(q.caller)
		add("Principal", s.notPrincipal, answer, q.callerName(), s.metPrincipal(q.caller))
	}
	add("Action", s.notAction, s.testAction(&q.action), q.request.Action, s.metAction(&q.action))
	if !s.noResource {
		add("Resource", s.notResource, s.testResource(&q.matcher, &q.resource), q.resource.text, s.metResource(q))
	}
	for i := range s.conditions {
		c, answer := q.traceCondition(&s.conditions[i])
		all = min(all, answer)
		t.Conditions = append(t.Conditions, c)
	}
	t.Answer = all.String()
	t.Applies = all.applies(s.effect)
	return t
}

func (q *question) callerName() string {
	switch c := q.caller; {
	case c == nil:
		return ""
	case c.ARN != "":
		return c.ARN
	case c.Federated != "":
		return c.Federated
	default:
		return c.Service
	}
}

func (s *statement) metPrincipal(c *Caller) string {
	if c == nil {
		return ""
	}
	for i := range s.principals {
		if s.principals[i].reaches(c) != unreached {
			return s.principals[i].Name
		}
	}
	return ""
}

func (s *statement) metAction(action *actionName) string {
	for i := range s.actions {
		if s.actions[i].match(action) != no {
			return s.actions[i].source
		}
	}
	return ""
}

func (s *statement) metResource(q *question) string {
	for i := range s.resources {
		if s.resources[i].matchResource(&q.matcher, &q.resource) != no {
			return s.resources[i].source
		}
	}
	return ""
}

func (q *question) traceCondition(c *condition) (ConditionTrace, truth) {
	answer := c.test(&q.matcher)
	t := ConditionTrace{
		Operator: c.name,
		Key:      c.key.name,
		Answer:   answer.String(),
		Wanted:   c.values,
	}
	e := q.matcher.lookUp(&c.key)
	if e.len() == 0 {
		t.Missing = true
		return t, answer
	}
	t.Values = e.all()
	if c.op.family == NullFamily {
		return t, answer
	}
	for _, v := range t.Values {
		for i, wanted := range c.values {
			if c.testPair(&q.matcher, i, v) == yes {
				t.Pairs = append(t.Pairs, Pair{v, wanted})
			}
		}
	}
	return t, answer
}
