package policy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"pgregory.net/rapid"

	"github.com/refward/refward/policy"
)

// crossQuestion is one question to the other engine, as run.mjs reads it.
type crossQuestion struct {
	Action    string         `json:"action"`
	Resource  string         `json:"resource"`
	Account   string         `json:"account"`
	Principal string         `json:"principal"`
	Context   map[string]any `json:"context"` // a string, or a list for several values
	Identity  []string       `json:"identity"`
	Boundary  []string       `json:"boundary,omitempty"`
	Levels    [][]string     `json:"levels"` // service control policies, and the session policies as one more level
	Attached  string         `json:"attached,omitempty"`

	name      string
	outcome   policy.Outcome // ours
	contested bool
	situation *policy.Situation
	request   *policy.Request
}

// setKeys are declared as multivalued, so that one value is a list as well.
var setKeys = []string{"aws:TagKeys", "aws:CalledVia", "sts:TransitiveTagKeys"}

// nothing stands for a list of policies that is there and empty.
const nothing = `{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "nothing:Nothing", "Resource": "*"}]}`

func documents(policies []*policy.Policy) []string {
	if policies == nil {
		return nil
	}
	out := []string{}
	for _, p := range policies {
		out = append(out, p.Text())
	}
	if len(out) == 0 {
		out = append(out, nothing)
	}
	return out
}

func crossQuestionOf(name string, s *policy.Situation, r *policy.Request) *crossQuestion {
	q := &crossQuestion{
		name: name, situation: s, request: r,
		Action: r.Action, Resource: r.Resource, Account: "111122223333", Principal: "arn:aws:iam::111122223333:user/ann",
		Context: map[string]any{}, Identity: documents(s.Identity), Boundary: documents(s.Boundary), Levels: [][]string{},
	}
	if q.Identity == nil {
		q.Identity = []string{}
	}
	for _, level := range s.SCPs {
		q.Levels = append(q.Levels, documents(append([]*policy.Policy{}, level...)))
	}
	if s.Session != nil {
		q.Levels = append(q.Levels, documents(s.Session))
	}
	for k, v := range r.Context.All() {
		if len(v) == 1 && !slices.Contains(setKeys, k) {
			q.Context[k] = v[0]
		} else {
			q.Context[k] = v
		}
	}
	return q
}

// corpusQuestions are the requests of the corpus. What has no form there is counted:
// callers by unique ID, and session policies beside a resource policy.
func corpusQuestions(t *testing.T) (out []*crossQuestion, formless int) {
	files, err := filepath.Glob("testdata/corpus/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		ar, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := readCase(t, ar)
		names := []string{}
		for name := range c.requests {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			r := c.requests[name]
			q := crossQuestionOf(strings.TrimSuffix(filepath.Base(file), ".txtar")+" "+name, &c.situation, &r.Request)
			e := c.situation.Explain(&r.Request)
			if c.resource != nil {
				if len(c.situation.Session) > 0 || strings.Contains(c.resource.Text(), `"AIDA`) || strings.Contains(c.resource.Text(), `"AROA`) {
					formless++
					continue
				}
				q.Attached = c.resource.Text()
				q.Principal = r.caller.ARN + r.caller.Federated + r.caller.Service
				e = c.situation.ExplainFor(r.caller, c.resource, &r.Request)
			}
			q.outcome, q.contested = e.Outcome(), contested(e)
			out = append(out, q)
		}
	}
	return out, formless
}

// contested reports whether any statement's answer was.
func contested(e *policy.Explanation) bool {
	for _, l := range e.Trace().Layers {
		for _, p := range l.Policies {
			for _, s := range p.Statements {
				if s.Answer == "contested" {
					return true
				}
			}
		}
	}
	return false
}

// readDisagreements reads the rows of the list: the first cells of each table.
func readDisagreements(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("testdata/crosscheck/disagreements.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case len(cells) == 5:
			known[strings.Join(cells[:3], " | ")] = true
		case len(cells) == 3:
			known[cells[0]] = true
		}
	}
	return known
}

// class says which of the listed differences a generated question may run into, ""
// for none: then the two engines have to agree. Only statements count that speak about
// the action.
func (q *crossQuestion) class() string {
	if q.contested {
		return "contested"
	}
	if strings.ContainsAny(q.request.Resource, "*?") {
		return "wildcard in the request"
	}
	if strings.Contains(q.request.Resource, "::") {
		return "empty part in the request"
	}
	if strings.Count(q.request.Resource, ":") > 5 {
		return "colon in the name"
	}
	found := map[string]bool{}
	trace, i := q.situation.Explain(q.request).Trace(), 0
	policies := slices.Concat(append(slices.Clone(q.situation.SCPs), q.situation.Identity, q.situation.Boundary, q.situation.Session)...)
	for _, l := range trace.Layers {
		for _, pt := range l.Policies {
			for j := range pt.Statements {
				if slices.Contains(policies[i].Document().Statements[j].Actions, "*:*") {
					found["every action"] = true
				}
				if pt.Statements[j].Elements[0].Answer != "no" {
					found[statementClass(policies[i].Document(), j)] = true
				}
			}
			i++
		}
	}
	for _, class := range []string{"variable", "empty list", "set of Null", "typed value", "incomplete ARN", "every action"} {
		if found[class] {
			return class
		}
	}
	return ""
}

func statementClass(d *policy.Document, i int) string {
	s, short := &d.Statements[i], false
	for _, r := range s.Resources {
		if strings.Contains(r, "$") {
			return "variable"
		}
		short = short || r != "*" && strings.Count(r, ":") < 5
	}
	typed := false
	for _, c := range s.Conditions {
		for _, v := range c.Values {
			if strings.Contains(v, "$") {
				return "variable"
			}
		}
		for _, word := range []string{"Numeric", "Date", "Ip", "Binary"} {
			typed = typed || strings.Contains(c.Operator, word)
		}
	}
	for _, c := range s.Conditions {
		switch {
		case len(c.Values) == 0:
			return "empty list"
		case strings.HasSuffix(c.Operator, ":Null"):
			return "set of Null"
		}
	}
	switch {
	case typed:
		return "typed value"
	case short:
		return "incomplete ARN"
	}
	return ""
}

func generatedQuestions(n int) []*crossQuestion {
	var out []*crossQuestion
	for seed := range n / 20 {
		pair := rapid.Custom(func(t *rapid.T) []*crossQuestion {
			var qs []*crossQuestion
			s := policy.DrawSituation(t)
			for i := range 20 {
				r := policy.DrawRequest(t)
				q := crossQuestionOf(fmt.Sprintf("generated %d.%d", seed, i), s, r)
				e := s.Explain(r)
				q.outcome, q.contested = e.Outcome(), contested(e)
				qs = append(qs, q)
			}
			return qs
		})
		out = append(out, pair.Example(seed)...)
	}
	return out
}

// ask runs the other engine once over all questions.
func ask(t *testing.T, node, dir string, questions []*crossQuestion) []string {
	t.Helper()
	var in, out, errs bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, q := range questions {
		if err := enc.Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), node, "testdata/crosscheck/run.mjs", dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	answers := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions\n%s", len(answers), len(questions), errs.String())
	}
	return answers
}

// TestCrossCheck holds the engine against an independent one, which is never part of
// this repository: it runs as a process of its own when REFWARD_IAM_SIMULATE names a
// directory with its node_modules. Every disagreement has to be listed in
// testdata/crosscheck/disagreements.md with who is right.
func TestCrossCheck(t *testing.T) {
	dir := os.Getenv("REFWARD_IAM_SIMULATE")
	if dir == "" {
		t.Skip("REFWARD_IAM_SIMULATE does not name a directory in which npm installed @cloud-copilot/iam-simulate")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skipf("there is no node to run the other engine with: %v", err)
	}
	known := readDisagreements(t)
	questions, formless := corpusQuestions(t)
	n := 10_000
	if testing.Short() {
		n = 1_000
	}
	inCorpus := len(questions)
	questions = append(questions, generatedQuestions(n)...)
	differ, generated, asked := map[string]bool{}, map[string]int{}, map[string]int{}
	for i, theirs := range ask(t, node, dir, questions) {
		q, class := questions[i], ""
		if i >= inCorpus {
			class = q.class()
			asked[class]++
		}
		if theirs == q.outcome.String() {
			continue
		}
		if i >= inCorpus {
			if generated[class]++; class == "" || !known[class] {
				t.Errorf("%s, class %q: we say %v, they say %s\n%s", q.name, class, q.outcome, theirs, policy.DescribeRequest(q.situation, q.request))
			}
			continue
		}
		row := fmt.Sprintf("%s | %v | %s", q.name, q.outcome, theirs)
		differ[row] = true
		if !known[row] {
			t.Errorf("not listed: | %s |", row)
		}
	}
	for row := range known {
		if strings.Count(row, " | ") == 2 && !differ[row] && !strings.HasPrefix(row, "case and request |") && !strings.HasPrefix(row, "--- |") {
			t.Errorf("listed, and the two agree: | %s |", row)
		}
	}
	t.Logf("corpus: %d questions, %d differ (%d more have no form there)", inCorpus, len(differ), formless)
	t.Logf("generated: %d questions, by class %v; differ %v", len(questions)-inCorpus, asked, generated)
}
