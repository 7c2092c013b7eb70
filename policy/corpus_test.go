package policy_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/refward/refward/policy"
)

// kinds of document by the folder of a file in a case.
var kinds = map[string]policy.Kind{
	"": policy.Identity, "boundary": policy.Boundary, "session": policy.Session, "scp": policy.ServiceControl,
	"resource": policy.Resource, "trust": policy.Trust, "managed": policy.Managed,
}

// corpusCase is one file of testdata/corpus; README.md there tells the format.
type corpusCase struct {
	situation policy.Situation
	resource  *policy.Policy
	policies  []*policy.Policy
	documents map[string][]byte // those that are to be refused
	requests  map[string]corpusRequest
	wants     map[string]string
}

type corpusRequest struct {
	policy.Request
	caller policy.Caller
}

// TestCorpus runs every case through deciding, explaining, parsing and printing.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.txtar")
	if err != nil || len(files) < 600 {
		t.Fatalf("%d cases, want at least 600: %v", len(files), err)
	}
	total := 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if c := string(ar.Comment); !strings.HasPrefix(c, "# ") || !strings.Contains(c, "\n# Source: ") {
				t.Error("a case begins with a comment and a line that cites its source")
			}
			c := readCase(t, ar)
			total += c.run(t)
		})
	}
	if total < 2000 {
		t.Errorf("%d questions, want at least 2000", total)
	}
	t.Logf("%d cases, %d questions", len(files), total)
}

func readCase(t *testing.T, ar *txtar.Archive) *corpusCase {
	t.Helper()
	c := &corpusCase{documents: map[string][]byte{}, requests: map[string]corpusRequest{}, wants: map[string]string{}}
	for _, f := range ar.Files {
		verb, name, two := strings.Cut(f.Name, " ")
		switch {
		case f.Name == "findings": // of package validate
		case verb == "want" && two:
			c.wants[name] = strings.TrimSpace(string(f.Data))
		case verb == "refuse" && two:
			c.documents[name] = []byte(strings.TrimSuffix(string(f.Data), "\n"))
		case verb == "request" && two:
			c.requests[name] = readRequest(t, string(f.Data))
		default:
			c.attach(t, f.Name, f.Data)
		}
	}
	return c
}

// attach parses a document and puts it where its folder says.
func (c *corpusCase) attach(t *testing.T, name string, data []byte) {
	t.Helper()
	folder, base := filepath.Split(name)
	top, level, _ := strings.Cut(strings.Trim(folder, "/"), "/")
	kind, ok := kinds[top]
	if !ok {
		t.Fatalf("no such section: %s", name)
	}
	p, err := policy.Parse(policy.Source{Name: base}, kind, data)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	c.policies = append(c.policies, p)
	s := &c.situation
	switch kind {
	case policy.Boundary:
		s.Boundary = append(s.Boundary, p)
	case policy.Session:
		s.Session = append(s.Session, p)
	case policy.ServiceControl:
		i, _ := strconv.Atoi(level)
		for len(s.SCPs) <= i {
			s.SCPs = append(s.SCPs, nil)
		}
		s.SCPs[i] = append(s.SCPs[i], p)
	case policy.Resource, policy.Trust:
		c.resource = p
	default:
		s.Identity = append(s.Identity, p)
	}
}

// readRequest reads "action resource", then a line per key: name, blank, value. A key
// on several lines has several values; a value in double quotes is a Go string. Lines
// that begin with @ are about the caller.
func readRequest(t *testing.T, text string) corpusRequest {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	var r corpusRequest
	r.Action, r.Resource, _ = strings.Cut(lines[0], " ")
	values := map[string][]string{}
	for _, line := range lines[1:] {
		key, value, _ := strings.Cut(line, " ")
		if v, err := strconv.Unquote(value); err == nil {
			value = v
		}
		switch key {
		case "@arn":
			r.caller.ARN = value
		case "@role":
			r.caller.Role = value
		case "@account":
			r.caller.Account = value
		case "@userid":
			r.caller.UserID = value
		case "@federated":
			r.caller.Federated = value
		case "@service":
			r.caller.Service = value
		default:
			values[key] = append(values[key], value)
			r.Context.Set(key, values[key]...)
		}
	}
	return r
}

func (c *corpusCase) run(t *testing.T) int {
	if len(c.wants) != len(c.requests)+len(c.documents) {
		t.Errorf("%d wants for %d requests and %d refusals", len(c.wants), len(c.requests), len(c.documents))
	}
	for name, r := range c.requests {
		t.Run(name, func(t *testing.T) { c.decide(t, r, c.wants[name]) })
	}
	for name, doc := range c.documents {
		t.Run(name, func(t *testing.T) { refused(t, name, doc, c.wants[name]) })
	}
	for _, p := range c.policies {
		roundTrip(t, p)
	}
	return len(c.wants)
}

// decide compares outcome, deciding statements and, where the case gives them, further
// lines of the explanation.
func (c *corpusCase) decide(t *testing.T, r corpusRequest, want string) {
	decide, explain := c.situation.Decide, c.situation.Explain
	if c.resource != nil {
		decide = func(q *policy.Request) policy.Outcome { return c.situation.DecideFor(r.caller, c.resource, q) }
		explain = func(q *policy.Request) *policy.Explanation {
			return c.situation.ExplainFor(r.caller, c.resource, q)
		}
	}
	e := explain(&r.Request)
	if got := decide(&r.Request); got != e.Outcome() {
		t.Errorf("decided %v, explained %v", got, e.Outcome())
	}
	first, more, _ := strings.Cut(want, "\n")
	if got := summary(e); got != first {
		t.Errorf("got  %s\nwant %s\n%s", got, first, e.Paragraph())
	}
	for line := range strings.Lines(more) {
		if line = strings.TrimSpace(line); !strings.Contains(e.Paragraph(), line) {
			t.Errorf("the explanation lacks %q:\n%s", line, e.Paragraph())
		}
	}
	if _, err := e.MarshalJSON(); err != nil {
		t.Error(err)
	}
}

// summary is the outcome and every deciding statement, or the layer that did not allow.
func summary(e *policy.Explanation) string {
	switch e.Outcome() {
	case policy.ImplicitDeny:
		return "implicit deny: " + e.Layer().String()
	case policy.Allow:
		return "allow: " + matches(e)
	default:
		return "explicit deny: " + matches(e)
	}
}

func matches(e *policy.Explanation) string {
	var out []string
	for _, m := range e.Deciding() {
		out = append(out, fmt.Sprintf("%s statement %d", m.Policy.Source().Name, m.Statement))
	}
	return strings.Join(out, ", ")
}

// refused compares the message, and the place when the case names one.
func refused(t *testing.T, name string, doc []byte, want string) {
	folder, _, _ := strings.Cut(name, "/")
	kind, ok := kinds[folder]
	if !ok || !strings.Contains(name, "/") {
		kind = policy.Identity
	}
	_, err := policy.Parse(policy.Source{Name: name}, kind, doc)
	failed, ok := errors.AsType[*policy.SyntaxError](err)
	if !ok {
		t.Fatalf("error %v, want %s", err, want)
	}
	message, place, _ := strings.Cut(want, "\n")
	if diff := cmp.Diff(message, failed.Message); diff != "" {
		t.Errorf("message (-want +got):\n%s(%v)", diff, failed)
	}
	if got := strings.TrimSpace(fmt.Sprintf("%d:%d %s", failed.Line, failed.Column, failed.Pointer)); place != "" && got != place {
		t.Errorf("place %s, want %s (%v)", got, place, failed)
	}
	if failed.Detail == "" {
		t.Error("no detail")
	}
}

// roundTrip prints a policy both ways and parses what was printed.
func roundTrip(t *testing.T, p *policy.Policy) {
	t.Helper()
	for form, print := range map[string]func(*policy.Policy) string{
		"format":    func(p *policy.Policy) string { return string(p.Format()) },
		"canonical": func(p *policy.Policy) string { return string(p.Document().Canonical()) },
	} {
		text := print(p)
		q, err := policy.Parse(p.Source(), p.Kind(), []byte(text))
		if err != nil {
			t.Errorf("%s of %s: %v\n%s", form, p.Source().Name, err, text)
			continue
		}
		if diff := cmp.Diff(text, print(q)); diff != "" {
			t.Errorf("%s of %s, printed again (-first +again):\n%s", form, p.Source().Name, diff)
		}
	}
}
