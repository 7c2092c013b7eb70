package policycmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/policy"
)

// question is one request with the policies that take part in its decision.
type question struct {
	situation policy.Situation
	trust     *policy.Policy // nil: the question is not whether a role may be assumed
	principal string
	account   string
	request   policy.Request
	caller    policy.Caller // of principal, once checked
}

// check says what is missing for a decision.
func (q *question) check() (err error) {
	service, name, _ := strings.Cut(q.request.Action, ":")
	switch {
	case service == "" || name == "" || strings.ContainsAny(q.request.Action, "*? "):
		return fmt.Errorf("action %q is not the name of one action, such as codecommit:GitPush", q.request.Action)
	case q.request.Resource == "":
		return fmt.Errorf(`there is no resource: give an ARN, or "*" for an action without one`)
	case q.account != "" && !isAccount(q.account):
		return fmt.Errorf("account %q is not 12 digits", q.account)
	}
	if q.trust != nil {
		q.caller, err = callerOf(q.principal, q.account)
	}
	return err
}

// decision is the answer to a question.
type decision struct {
	outcome policy.Outcome
	layer   policy.Layer
	line    string // of an implicit deny: why, in words
	by      []policy.Match

	explanation *policy.Explanation
}

// decide answers.
//
// That a trust policy has to allow is policy's rule. Across accounts both sides have to
// allow (IAM User Guide, "Cross-account policy evaluation logic"): the caller's identity
// policies are asked as well, when there are any to ask.
func (q *question) decide() decision {
	if q.trust == nil {
		return decisionOf(q.situation.Explain(&q.request))
	}
	e := q.situation.ExplainFor(q.caller, q.trust, &q.request)
	if e.Outcome() == policy.Allow && q.crosses() {
		if own := q.situation.Explain(&q.request); own.Outcome() != policy.Allow {
			d := decisionOf(own)
			d.explanation = e // with the trust policy in its trace
			return d
		}
	}
	d := decisionOf(e)
	if d.outcome == policy.ImplicitDeny && d.layer == policy.ResourceLayer {
		d.line = fmt.Sprintf("the trust policy does not allow %s to %s", oneLine(q.request.Action), oneLine(q.principal))
	}
	return d
}

func decisionOf(e *policy.Explanation) decision {
	d := decision{outcome: e.Outcome(), layer: e.Layer(), by: e.Deciding(), explanation: e}
	if d.outcome == policy.ImplicitDeny {
		d.line = strings.TrimPrefix(e.Line(), "implicit deny: ")
	}
	return d
}

// words says the decision in one line.
func (d *decision) words() string {
	if d.outcome == policy.ImplicitDeny {
		return "implicit deny: " + d.line
	}
	return d.explanation.Line()
}

// paragraph is the line, and every statement that speaks about the action.
func (d *decision) paragraph() string {
	_, rest, _ := strings.Cut(d.explanation.Paragraph(), "\n")
	return d.words() + "\n" + rest
}

// crosses reports whether the caller is of another account than the role, and what is
// allowed there is known.
func (q *question) crosses() bool {
	if q.caller.Account == "" || len(q.situation.Identity) == 0 {
		return false // a service and an identity provider are of no account
	}
	of, _ := arn.Cut(q.request.Resource)
	return q.account != "" && q.account != q.caller.Account ||
		isAccount(of.Account) && of.Account != q.caller.Account
}

// reason is one statement that decided, what was missing, or what is wrong.
type reason struct {
	Layer     string `json:"layer,omitempty"`  // identity, boundary, session, scp or trust
	Level     int    `json:"level,omitempty"`  // of service control policies, 1-based
	Policy    int    `json:"policy,omitempty"` // of its layer, 1-based
	Name      string `json:"name,omitempty"`
	Statement int    `json:"statement,omitempty"` // 1-based
	Sid       string `json:"sid,omitempty"`
	Message   string `json:"message,omitempty"`
	Detail    string `json:"detail,omitempty"`
	Line      int    `json:"line,omitempty"`
	Column    int    `json:"column,omitempty"`
	Pointer   string `json:"pointer,omitempty"`
}

// layerName is a layer as the commands call it.
func layerName(l policy.Layer) string {
	switch l {
	case policy.BoundaryLayer:
		return "boundary"
	case policy.SessionLayer:
		return "session"
	case policy.ServiceControlLayer:
		return "scp"
	case policy.ResourceLayer:
		return "trust"
	default:
		return "identity"
	}
}

// reasons returns the statements that decided, or why none did.
func (q *question) reasons(d *decision) []reason {
	if d.outcome == policy.ImplicitDeny {
		return []reason{{Layer: layerName(d.layer), Message: d.line}}
	}
	out := make([]reason, 0, len(d.by))
	for _, m := range d.by {
		r := reason{Layer: layerName(m.Layer), Statement: m.Statement, Sid: m.Policy.Document().Statements[m.Statement-1].Sid}
		r.Level, r.Policy = q.place(m)
		out = append(out, r)
	}
	return out
}

// place finds where in its layer a policy stands.
func (q *question) place(m policy.Match) (level, index int) {
	switch m.Layer {
	case policy.ServiceControlLayer:
		for i, l := range q.situation.SCPs {
			if n := slices.Index(l, m.Policy); n >= 0 {
				return i + 1, n + 1
			}
		}
		return 0, 0
	case policy.BoundaryLayer:
		return 0, slices.Index(q.situation.Boundary, m.Policy) + 1
	case policy.SessionLayer:
		return 0, slices.Index(q.situation.Session, m.Policy) + 1
	case policy.ResourceLayer:
		return 0, 1
	default:
		return 0, slices.Index(q.situation.Identity, m.Policy) + 1
	}
}

// oneLine makes text fit for a terminal: control characters become blanks.
func oneLine(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7F && c < 0xA0 {
			return ' '
		}
		return c
	}, s)
}
