package policy

import (
	"encoding/json"
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The words are few, so that patterns and values meet often.
var (
	actionWords = []string{
		"codecommit:GitPush", "codecommit:gitpull", "codecommit:Git*", "codecommit:*", "*", "*:*",
		"CodeCommit:GitPush", "codecommit:Git????", "code*:GitPush", "iam:*", "*:GitPush", "codecommit:*u*h",
	}
	resourceWords = []string{
		"*", "arn:aws:codecommit:us-east-1:111122223333:app", "arn:aws:codecommit:*:*:app", "arn:aws:codecommit:*",
		"arn:aws:codecommit:us-east-1:111122223333:a*", "arn:aws:codecommit:us-east-1:111122223333:?pp",
		"arn:*:codecommit:us-east-?:111122223333:*:x", "arn:aws:codecommit:*:app", "arn:aws:codecommit:*x",
		"arn:aws:codecommit:us-east-1:111122223333:${aws:username}", "arn:aws:codecommit:*:*:${k:a}-${k:b, 'app'}",
		"arn:aws:codecommit:${k:b}:111122223333:app", "arn:aws:codecommit:us-east-1:111122223333:${*}pp",
		"arn:aws:codecommit::111122223333:app", "arn:aws:codecommit:us-east-1:111122223333:",
	}
	keyWords   = []string{"k:a", "K:A", "k:b", "aws:username", "codecommit:References"}
	valueWords = []string{
		"", "a", "A", "ab", "*", "?", "a*", "*b", "*a*b*", "??", "refs/heads/*", "${*}", "a${?}", "${k:a}", "x${k:b}*", "${k:b, 'a'}",
		"${", "${}", "$", "${$}", "true", "false", "TRUE", "1", "1.0", "-2", "10", "1e1", "2026", "2026-01-15", "2026-01-15T10:30:00Z",
		"2026-01-15T11:30:00+01:00", "1768473000", "10.0.0.1", "10.0.0.0/8", "::1", "0.0.0.0/0", "::/0", "YQ==", "YWI=",
		"arn:aws:iam::1:user/a", "arn:aws:iam::*:user/*", "arn:aws:iam::1:${k:a}", "arn:*", "${aws:username}", "arn:aws:iam::${k:a}:user/a", "arn:aws:iam::1:a:b",
	}
	dateWords    = []string{"2026", "2026-01-15", "2026-01-15T10:30:00Z", "2026-01-15T11:30:00+01:00", "1768473000", "-2", "10"}
	requestWords = []string{
		"", "a", "A", "ab", "*", "?", "aab", "refs/heads/a", "${k:a}", "xa", "xab", "true", "false", "True", "1", "01.00", "-2", "10",
		"2026", "2026-01-15T10:30Z", "1768473000", "10.0.0.1", "10.9.9.9", "::1", "YQ==", "YWI=", "app", "a-app", "us-east-1",
		"arn:aws:iam::1:user/a", "arn:aws:iam::1:a:b", "a:b", "$",
	}
	requestResources = []string{
		"*", "arn:aws:codecommit:us-east-1:111122223333:app", "arn:aws:codecommit:us-east-1:111122223333:a", "arn:aws:codecommit::111122223333:app",
		"arn:aws:codecommit:us-east-1:111122223333:a:x", "arn:aws:codecommit:us-east-1:111122223333:a-app", "arn:aws:codecommit:us-east-1:111122223333:*pp",
	}
	requestActions = []string{"codecommit:GitPush", "CODECOMMIT:GITPULL", "iam:GetUser", "codecommit:DeleteBranch"}
	trustActions   = []string{"sts:AssumeRole", "sts:*", "STS:assume*", "sts:TagSession", "sts:AssumeRoleWithWebIdentity"}

	principals = []any{
		"*", map[string]any{"AWS": "*"}, map[string]any{"AWS": "111122223333"}, map[string]any{"AWS": "arn:aws:iam::111122223333:root"},
		map[string]any{"AWS": "arn:aws:iam::444455556666:root"}, map[string]any{"AWS": "arn:aws:iam::111122223333:user/ann"},
		map[string]any{"AWS": "arn:aws:iam::111122223333:role/ci"}, map[string]any{"AWS": "arn:aws:sts::111122223333:assumed-role/ci/run"},
		map[string]any{"AWS": "AIDAEXAMPLEANN0000"}, map[string]any{"AWS": "AROAEXAMPLECI00000"},
		map[string]any{"AWS": []string{"arn:aws:iam::111122223333:user/ann", "111122223333"}},
		map[string]any{"AWS": []string{"AROAEXAMPLECI00000", "arn:aws:iam::111122223333:root"}, "Service": "events.amazonaws.com"},
		map[string]any{"Service": []string{"events.amazonaws.com", "ec2.amazonaws.com"}}, map[string]any{"Federated": "*"},
		map[string]any{"Federated": "accounts.google.com", "AWS": "444455556666"},
	}
	callers = []Caller{
		{ARN: "arn:aws:iam::111122223333:user/ann", Account: "111122223333", UserID: "AIDAEXAMPLEANN0000"},
		{ARN: "arn:aws:iam::111122223333:user/bob", Account: "111122223333", UserID: "AIDAEXAMPLEBOB0000"},
		{ARN: "arn:aws:iam::444455556666:user/ann", Account: "444455556666", UserID: "AIDAEXAMPLEEVE0000"},
		{ARN: "arn:aws:iam::111122223333:root", Account: "111122223333", UserID: "111122223333"},
		{ARN: "arn:aws:sts::111122223333:assumed-role/ci/run", Role: "arn:aws:iam::111122223333:role/ci", Account: "111122223333", UserID: "AROAEXAMPLECI00000:run"},
		{ARN: "arn:aws:sts::111122223333:assumed-role/ci/run2", Role: "arn:aws:iam::111122223333:role/ci", Account: "111122223333", UserID: "AROAEXAMPLECI00000:run2"},
		{Service: "events.amazonaws.com"}, {Federated: "accounts.google.com"}, {},
	}
)

func some[T any](t *rapid.T, label string, words []T, most int) []T {
	return rapid.SliceOfN(rapid.SampledFrom(words), 1, most).Draw(t, label)
}

func drawStatement(t *rapid.T) map[string]any {
	s := map[string]any{"Effect": rapid.SampledFrom([]string{"Allow", "Deny", "Allow"}).Draw(t, "effect")}
	s[rapid.SampledFrom([]string{"Action", "Action", "NotAction"}).Draw(t, "element")] = some(t, "actions", actionWords, 3)
	s[rapid.SampledFrom([]string{"Resource", "Resource", "NotResource"}).Draw(t, "element")] = some(t, "resources", resourceWords, 3)
	conditions := map[string]map[string]any{}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		operator, words := drawOperator(t), valueWords
		if op, _ := parseOperator(operator); op.family == DateFamily {
			words = dateWords // what is no date does not parse
		}
		conditions[operator] = map[string]any{
			rapid.SampledFrom(keyWords).Draw(t, "key"): rapid.SliceOfN(rapid.SampledFrom(words), 0, 3).Draw(t, "values"),
		}
	}
	if len(conditions) > 0 {
		s["Condition"] = conditions
	}
	return s
}

func drawOperator(t *rapid.T) string {
	name := rapid.SampledFrom(operatorTable[:]).Draw(t, "operator").name
	if name != "Null" {
		name += rapid.SampledFrom([]string{"", "", "IfExists"}).Draw(t, "exists")
	}
	name = rapid.SampledFrom([]string{"", "", "ForAllValues:", "ForAnyValue:"}).Draw(t, "set") + name
	if rapid.IntRange(0, 19).Draw(t, "odd") == 0 {
		name = strings.ToLower(name)
	}
	return name
}

func drawPolicy(t *rapid.T) *Policy { return drawPolicyOf(t, Identity, drawStatement) }

// drawAttached draws a resource policy or a trust policy.
func drawAttached(t *rapid.T) *Policy {
	kind := rapid.SampledFrom([]Kind{Resource, Trust}).Draw(t, "kind")
	return drawPolicyOf(t, kind, func(t *rapid.T) map[string]any {
		s, element := drawStatement(t), "Principal"
		if kind == Trust {
			for _, name := range []string{"Action", "NotAction", "Resource", "NotResource"} {
				delete(s, name)
			}
			s["Action"] = some(t, "actions", trustActions, 2)
		} else if rapid.IntRange(0, 3).Draw(t, "not") == 0 {
			element = "NotPrincipal"
		}
		s[element] = rapid.SampledFrom(principals).Draw(t, "principal")
		return s
	})
}

func drawPolicyOf(t *rapid.T, kind Kind, statement func(*rapid.T) map[string]any) *Policy {
	doc := map[string]any{
		"Version":   rapid.SampledFrom([]string{version2012, version2012, version2008}).Draw(t, "version"),
		"Statement": []any{statement(t), statement(t)}[:rapid.IntRange(1, 2).Draw(t, "statements")],
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(Source{Name: "drawn"}, kind, text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return p
}

func drawPolicies(t *rapid.T, least int) []*Policy {
	out := []*Policy{}
	for range rapid.IntRange(least, 2).Draw(t, "policies") {
		out = append(out, drawPolicy(t))
	}
	return out
}

func drawSituation(t *rapid.T) *Situation {
	s := &Situation{Identity: drawPolicies(t, 1)}
	if rapid.IntRange(0, 3).Draw(t, "boundary") == 0 {
		s.Boundary = drawPolicies(t, 0)
	}
	if rapid.IntRange(0, 3).Draw(t, "session") == 0 {
		s.Session = drawPolicies(t, 0)
	}
	if rapid.IntRange(0, 3).Draw(t, "scp") == 0 {
		s.SCPs = [][]*Policy{drawPolicies(t, 0), drawPolicies(t, 1)}
	}
	return s
}

func drawRequest(t *rapid.T) *Request {
	r := &Request{
		Action:   rapid.SampledFrom(requestActions).Draw(t, "action"),
		Resource: rapid.SampledFrom(requestResources).Draw(t, "resource"),
	}
	for _, k := range keyWords[1:] {
		if n := rapid.IntRange(0, 3).Draw(t, "present"); n > 0 {
			r.Context.Set(k, some(t, k, requestWords, max(1, n-1))...)
		}
	}
	return r
}

func describe(s *Situation, r *Request) string {
	var b strings.Builder
	for _, l := range (&Explanation{situation: s}).layers() {
		for _, p := range l.policies {
			fmt.Fprintf(&b, "%v: %s\n", l.layer, p.text)
		}
	}
	fmt.Fprintf(&b, "%s on %s\n", r.Action, r.Resource)
	for k, v := range r.Context.All() {
		fmt.Fprintf(&b, "%s %q\n", k, v)
	}
	return b.String()
}

// No two ways of deciding may differ: the compiled form, the explanation, what follows
// from the trace, and the slow evaluator. Making a policy costs more than asking it, so
// each set of policies is asked many times: in all a million pairs of policies and
// requests, far fewer with -short or the race detector.
func TestEvaluatorsAgree(t *testing.T) {
	checks, requests := 20_000, 50
	if testing.Short() || raceEnabled {
		checks = 400
	}
	workers := runtime.GOMAXPROCS(0)
	enforced := setChecks(t, (checks+workers-1)/workers)
	var pairs atomic.Int64
	var outcomes [3]atomic.Int64
	began := time.Now()
	t.Run("workers", func(t *testing.T) {
		for i := range workers {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(t *rapid.T) {
					s := drawSituation(t)
					for range requests {
						outcomes[agree(t, s, drawRequest(t))].Add(1)
					}
					pairs.Add(int64(requests))
				})
			})
		}
	})
	if n := pairs.Load(); enforced && !t.Failed() && n < int64(checks*requests) {
		t.Errorf("%d pairs, want %d", n, checks*requests)
	}
	for o := range outcomes {
		n := outcomes[o].Load()
		t.Logf("%v: %d", Outcome(o), n)
		if n < pairs.Load()/50 {
			t.Errorf("only %d of %d pairs came to %v: the generators are lopsided", n, pairs.Load(), Outcome(o))
		}
	}
	t.Logf("%d pairs of policies and requests in %v", pairs.Load(), time.Since(began).Round(time.Millisecond))
}

// setChecks sets how often rapid.Check runs, and reports false when the command line
// says otherwise.
func setChecks(t *testing.T, n int) bool {
	f := flag.Lookup("rapid.checks")
	given := false
	flag.Visit(func(g *flag.Flag) { given = given || g == f })
	if given {
		return false
	}
	if testing.Short() {
		n *= 5 // rapid runs a fifth
	}
	before := f.Value.String()
	if err := f.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Value.Set(before); err != nil {
			t.Error(err)
		}
	})
	return true
}

// agree decides in every way and returns the one answer.
func agree(t *rapid.T, s *Situation, r *Request) Outcome {
	got, slow := s.Decide(r), slowDecide(s, nil, slowRequestOf(r, nil))
	if got != slow {
		t.Fatalf("decided %v, slowly %v\n%s", got, slow, describe(s, r))
	}
	e := s.Explain(r)
	if e.Outcome() != got {
		t.Fatalf("decided %v, explained %v\n%s", got, e.Outcome(), describe(s, r))
	}
	if traced := outcomeOf(e.Trace()); traced != got {
		t.Fatalf("decided %v, traced %v\n%s%s", got, traced, describe(s, r), e.Paragraph())
	}
	return got
}

// The same with a resource policy or a trust policy taking part: every form of principal
// meets every kind of caller, with and without what else may have to allow.
func TestEvaluatorsAgreeOnPrincipals(t *testing.T) {
	parse := func(kind Kind, statement map[string]any) *Policy {
		text, err := json.Marshal(map[string]any{"Version": version2012, "Statement": statement})
		if err != nil {
			t.Fatal(err)
		}
		p, err := Parse(Source{Name: "p"}, kind, text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return p
	}
	everything := parse(Identity, map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"})
	var situations []*Situation
	lists := [][]*Policy{nil, {}, {everything}}
	for _, identity := range lists[1:] {
		for _, boundary := range lists {
			for _, session := range lists {
				s := &Situation{Identity: identity, Boundary: boundary, Session: session}
				situations = append(situations, s, &Situation{Identity: identity, Boundary: boundary, Session: session, SCPs: [][]*Policy{{}}})
			}
		}
	}
	requests := map[Kind]*Request{
		Resource: {Action: "codecommit:GitPush", Resource: requestResources[1]},
		Trust:    {Action: "sts:AssumeRole", Resource: "arn:aws:iam::111122223333:role/deploy"},
	}
	for kind, r := range requests {
		var outcomes [3]int
		for _, principal := range principals {
			for _, effect := range []string{"Allow", "Deny"} {
				for _, element := range []string{"Principal", "NotPrincipal"} {
					statement := map[string]any{"Effect": effect, element: principal, "Action": r.Action}
					if kind == Resource {
						statement["Resource"] = r.Resource
					} else if element == "NotPrincipal" {
						continue // not in a trust policy
					}
					attached := parse(kind, statement)
					for _, s := range situations {
						for _, c := range callers {
							outcomes[agreeFor(t, s, c, attached, r)]++
						}
					}
				}
			}
		}
		for o, n := range outcomes {
			if n == 0 {
				t.Errorf("%v: nothing came to %v", kind, Outcome(o))
			}
		}
	}
}

// Drawn ones, with conditions and several statements. The identity policies often allow
// everything, so that what the attached policy says decides.
func TestEvaluatorsAgreeForCallers(t *testing.T) {
	checks, requests := 4_000, 20
	if testing.Short() || raceEnabled {
		checks = 400
	}
	setChecks(t, checks)
	everything, err := Parse(Source{Name: "everything"}, Identity,
		[]byte(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		s, attached := drawSituation(t), drawAttached(t)
		if rapid.Bool().Draw(t, "everything") {
			s.Identity = []*Policy{everything}
		}
		for range requests {
			r := drawRequest(t)
			if attached.kind == Trust {
				r.Action = rapid.SampledFrom([]string{"sts:AssumeRole", "sts:TagSession"}).Draw(t, "action")
				r.Resource = "arn:aws:iam::111122223333:role/deploy"
			}
			agreeFor(t, s, rapid.SampledFrom(callers).Draw(t, "caller"), attached, r)
		}
	})
}

// agreeFor decides for a caller in every way and returns the one answer.
func agreeFor(t rapid.TB, s *Situation, c Caller, attached *Policy, r *Request) Outcome {
	about := func() string { return fmt.Sprintf("%v: %s\n%+v\n%s", attached.kind, attached.text, c, describe(s, r)) }
	got, slow := s.DecideFor(c, attached, r), slowDecide(s, attached, slowRequestOf(r, &c))
	if got != slow {
		t.Fatalf("decided %v, slowly %v\n%s", got, slow, about())
	}
	e := s.ExplainFor(c, attached, r)
	if e.Outcome() != got {
		t.Fatalf("decided %v, explained %v\n%s", got, e.Outcome(), about())
	}
	// Of what did not allow, a service control policy is named first, then the trust
	// policy; no resource policy has to allow.
	trusted, within := attached.kind != Trust, true
	for _, l := range e.Trace().Layers {
		allowed := false
		for _, p := range l.Policies {
			for _, st := range p.Statements {
				allowed = allowed || st.Applies && st.Effect == Permit.String()
			}
		}
		switch l.Layer {
		case ResourceLayer.String():
			trusted = trusted || allowed
		case ServiceControlLayer.String():
			within = within && allowed
		}
	}
	named := got == ImplicitDeny && e.Layer() == ResourceLayer
	if want := got == ImplicitDeny && within && !trusted; named != want || !trusted && got == Allow {
		t.Fatalf("%v by %v, trusted %v\n%s%s", got, e.Layer(), trusted, about(), e.Paragraph())
	}
	return got
}

// outcomeOf derives the outcome from a trace alone.
func outcomeOf(t *Trace) Outcome {
	out := Allow
	for _, l := range t.Layers {
		allowed := false
		for _, p := range l.Policies {
			for _, s := range p.Statements {
				if s.Applies && s.Effect == "Deny" {
					return ExplicitDeny
				}
				allowed = allowed || s.Applies
			}
		}
		if !allowed {
			out = ImplicitDeny
		}
	}
	return out
}

// What is printed says the same, and printing again changes nothing.
func TestPrintRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, r := drawPolicy(t), drawRequest(t)
		for form, text := range map[string][]byte{"canonical": p.document.Canonical(), "format": p.Format()} {
			q, err := Parse(Source{}, Identity, text)
			if err != nil {
				t.Fatalf("%s: %v\n%s", form, err, text)
			}
			again := q.Format()
			if form == "canonical" {
				again = q.document.Canonical()
			}
			if string(again) != string(text) {
				t.Fatalf("%s: printed again\n%s\nfirst\n%s", form, again, text)
			}
			a, b := &Situation{Identity: []*Policy{p}}, &Situation{Identity: []*Policy{q}}
			if a.Decide(r) != b.Decide(r) {
				t.Fatalf("%s: %v became %v\n%s", form, a.Decide(r), b.Decide(r), describe(a, r))
			}
		}
	})
}
