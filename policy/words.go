package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// nearest words what came nearest to allowing in a layer that did not: the Allow
// statement of which the most elements held, and the first that did not.
func (e *Explanation) nearest() string {
	q := e.question()
	var best ref
	score, policies := -1, 0
	for _, l := range e.layers() {
		if l.layer != e.layer {
			continue
		}
		for _, p := range l.policies {
			policies++
			for i := range p.statements {
				s := &p.statements[i]
				if n := q.closeness(s); n > score {
					best, score = ref{p, s}, n
				}
			}
		}
	}
	switch {
	case policies == 0:
		return "there is none"
	case score < 0:
		return "no Allow statement names the action"
	}
	t := q.trace(best.statement)
	return "nearest: " + best.String() + ", where " + t.failure()
}

// closeness counts the elements of an Allow statement that hold, -1 when it does not
// speak about the action at all.
func (q *question) closeness(s *statement) int {
	if s.effect != Permit || s.testAction(&q.action) == no {
		return -1
	}
	n := 0
	if t, _ := s.testPrincipal(q.caller); t != no {
		n += 1 << 20
	}
	if s.testResource(&q.matcher, &q.resource) != no {
		n += 1 << 20
	}
	n -= len(s.conditions)
	for i := range s.conditions {
		if s.conditions[i].test(&q.matcher) != no {
			n++
		}
	}
	return max(n, 0)
}

// failure words the first element of a statement that did not hold.
func (t *StatementTrace) failure() string {
	for i := range t.Elements {
		if t.Elements[i].Answer == no.String() {
			return t.Elements[i].failure()
		}
	}
	for i := range t.Conditions {
		if t.Conditions[i].Answer == no.String() {
			return t.Conditions[i].words()
		}
	}
	for i := range t.Elements {
		if el := &t.Elements[i]; el.Answer == unsure.String() {
			return "whether " + el.Element + " covers " + oneLine(el.Value) + " is contested"
		}
	}
	for i := range t.Conditions {
		if t.Conditions[i].Answer == unsure.String() {
			return t.Conditions[i].words()
		}
	}
	return "everything holds"
}

func (el *ElementTrace) failure() string {
	if strings.HasPrefix(el.Element, "Not") {
		return el.Element + " excludes " + oneLine(el.Value)
	}
	return el.Element + " does not cover " + oneLine(el.Value)
}

// words says what a condition wanted, what it got, and how it answered.
func (c *ConditionTrace) words() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s ", c.Operator, oneLine(clip(c.Key)), list(c.Wanted))
	switch c.Answer {
	case yes.String():
		b.WriteString("holds: ")
	case no.String():
		b.WriteString("does not hold: ")
	default:
		b.WriteString("is contested: ")
	}
	if c.Missing {
		b.WriteString("the request does not carry the key")
	} else {
		b.WriteString("the request carries " + list(c.Values))
	}
	return b.String()
}

// longest is how many bytes of one text of a policy are shown in a line. An explanation
// goes to terminals and logs, and a document may be one long word.
const longest = 256

// clip shortens text to what is shown of it.
func clip(s string) string {
	if len(s) <= longest {
		return s
	}
	end := longest
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// list quotes values, a long list and long values shortened.
func list(values []string) string {
	const most = 4
	quoted := make([]string, 0, most+1)
	for i, v := range values {
		if i == most {
			quoted = append(quoted, fmt.Sprintf("… %d more", len(values)-most))
			break
		}
		quoted = append(quoted, strconv.Quote(clip(v)))
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return "[" + strings.Join(quoted, " ") + "]"
}

// Paragraph tells the whole decision in a few lines of text: the line, then every
// statement that speaks about the action, with each element that answered.
func (e *Explanation) Paragraph() string {
	var b strings.Builder
	b.WriteString(e.Line())
	b.WriteByte('\n')
	if e.reason != "" {
		return b.String()
	}
	fmt.Fprintf(&b, "asked: %s on %s\n", oneLine(e.request.Action), oneLine(e.request.Resource))
	silent := 0
	for _, l := range e.Trace().Layers {
		for i := range l.Policies {
			p := &l.Policies[i]
			for j := range p.Statements {
				if !p.Statements[j].speaks() {
					silent++
					continue
				}
				p.Statements[j].paragraph(&b, l.Layer, p)
			}
		}
	}
	if silent > 0 {
		fmt.Fprintf(&b, "%d other statements do not name the action\n", silent)
	}
	return b.String()
}

// speaks reports whether the statement's action element did not rule it out.
func (t *StatementTrace) speaks() bool {
	return !slices.ContainsFunc(t.Elements, func(el ElementTrace) bool {
		return strings.HasSuffix(el.Element, "Action") && el.Answer == no.String()
	})
}

func (t *StatementTrace) paragraph(b *strings.Builder, layer string, p *PolicyTrace) {
	verb := "does not apply"
	switch {
	case t.Answer == unsure.String() && t.Applies:
		verb = "applies (contested, read as the denying way)"
	case t.Answer == unsure.String():
		verb = "does not apply (contested, read as the denying way)"
	case t.Applies:
		verb = "applies"
	}
	name := oneLine(p.Name)
	if p.Owner != "" {
		name += " of " + oneLine(p.Owner)
	}
	fmt.Fprintf(b, "%s %s, statement %d", layer, name, t.Index)
	if t.Sid != "" {
		fmt.Fprintf(b, " %q", t.Sid)
	}
	fmt.Fprintf(b, " at %s: %s %s\n", t.Start, t.Effect, verb)
	for _, el := range t.Elements {
		fmt.Fprintf(b, "  %s %s: %s", el.Element, oneLine(el.Value), el.Answer)
		if el.Matched != "" {
			fmt.Fprintf(b, " (%s)", oneLine(el.Matched))
		}
		b.WriteByte('\n')
	}
	for i := range t.Conditions {
		fmt.Fprintf(b, "  %s\n", t.Conditions[i].words())
	}
}

// MarshalJSON gives the decision, the deciding statement and the whole trace.
func (e *Explanation) MarshalJSON() ([]byte, error) {
	type deciding struct {
		Policy    string   `json:"policy"`
		Owner     string   `json:"owner,omitempty"`
		Statement int      `json:"statement"`
		Sid       string   `json:"sid,omitempty"`
		Start     Position `json:"start"`
	}
	out := struct {
		Outcome  string       `json:"outcome"`
		Layer    string       `json:"layer,omitempty"`
		Line     string       `json:"line"`
		Reason   string       `json:"reason,omitempty"`
		Action   string       `json:"action,omitempty"`
		Resource string       `json:"resource,omitempty"`
		Deciding []deciding   `json:"deciding,omitempty"`
		Digests  []string     `json:"digests,omitempty"`
		Trace    []LayerTrace `json:"trace,omitempty"`
	}{Outcome: e.outcome.String(), Line: e.Line(), Reason: e.reason, Action: e.request.Action, Resource: e.request.Resource}
	if e.reason == "" {
		out.Layer, out.Digests, out.Trace = e.layer.String(), e.Digests(), e.Trace().Layers
		for _, m := range e.Deciding() {
			src := m.Policy.source
			st := m.Policy.document.Statements[m.Statement-1]
			out.Deciding = append(out.Deciding, deciding{src.Name, src.Owner, m.Statement, st.Sid, st.Start})
		}
	}
	return json.Marshal(out)
}
