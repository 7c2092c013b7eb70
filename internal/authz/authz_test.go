package authz_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/policy"
)

const (
	account = "111122223333"
	push    = "codecommit:GitPush"
	pull    = "codecommit:GitPull"
	refs    = "codecommit:References"
	main    = "refs/heads/main"
	topic   = "refs/heads/topic"
)

var (
	payments = arn.ARN{Partition: "aws", Service: "codecommit", Region: "us-east-1", Account: account, Resource: "payments"}
	website  = arn.ARN{Partition: "aws", Service: "codecommit", Region: "us-east-1", Account: account, Resource: "website"}

	// noon is in a zone of its own: what policies see is UTC.
	noon = time.Date(2026, 1, 15, 12, 0, 0, 999, time.FixedZone("", 3600))
)

// principals is a Source: the situations of the principals that exist.
type principals map[string]authz.Situation

func (s principals) Situation(ctx context.Context, p authz.Principal) (authz.Situation, error) {
	if err := ctx.Err(); err != nil {
		return authz.Situation{}, err
	}
	sit, ok := s[p.UserID]
	if !ok {
		return authz.Situation{}, fault.InvalidClientTokenID.New("The security token included in the request is invalid.")
	}
	return sit, nil
}

// journal is a Log that keeps each call's entries, or refuses them all.
type journal struct {
	calls [][]authz.Entry
	err   error
}

func (l *journal) Append(_ context.Context, entries ...authz.Entry) error {
	if l.err != nil {
		return l.err
	}
	l.calls = append(l.calls, entries)
	return nil
}

// only returns the entries of the only call.
func (l *journal) only(t testing.TB) []authz.Entry {
	t.Helper()
	if len(l.calls) != 1 {
		t.Fatalf("the log was appended to %d times, want once", len(l.calls))
	}
	return l.calls[0]
}

func parse(t testing.TB, kind policy.Kind, name, owner, document string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse(policy.Source{Name: name, Owner: owner}, kind, []byte(document))
	if err != nil {
		t.Fatalf("policy %s: %v", name, err)
	}
	return p
}

// junior may push to payments, but not to main, and pull everything.
func junior(t testing.TB) authz.Situation {
	return authz.Situation{Policies: &policy.Situation{Identity: []*policy.Policy{
		parse(t, policy.Identity, "Work", "user ada", `{"Version": "2012-10-17", "Statement": [
			{"Effect": "Allow", "Action": "codecommit:GitPush", "Resource": "arn:aws:codecommit:us-east-1:111122223333:payments"},
			{"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": "*"}]}`),
		parse(t, policy.Identity, "Protect", "group juniors", `{"Version": "2012-10-17", "Statement": {"Sid": "Main",
			"Effect": "Deny", "Action": "codecommit:GitPush", "Resource": "*",
			"Condition": {"StringEqualsIfExists": {"codecommit:References": "refs/heads/main"}, "Null": {"codecommit:References": "false"}}}}`),
	}}}
}

func ada() authz.Caller {
	return authz.Caller{
		Principal: authz.Principal{
			Kind: authz.User, Account: account, ARN: arn.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "user/dev/ada"},
			UserID: "AIDAADA", Name: "ada",
		},
		Credential: authz.Credential{Kind: "access-key", ID: "AKIAADA"},
		RequestID:  "0b6e4d9c-2f0e-4f6b-9d3a-6a8d6f2f7a11",
	}
}

func root() authz.Caller {
	return authz.Caller{Principal: authz.Principal{
		Kind: authz.Root, Account: account, ARN: arn.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "root"}, UserID: account,
	}}
}

func pushTo(repository arn.ARN, ref string) authz.Check {
	return authz.Check{Action: push, Resource: repository, Values: []authz.Value{{Key: refs, Values: []string{ref}}}}
}

// host is an Authorizer that knows ada, a junior, with its log.
func host(t testing.TB) (*authz.Authorizer, *journal) {
	log := &journal{}
	return &authz.Authorizer{Source: principals{"AIDAADA": junior(t)}, Log: log, Now: func() time.Time { return noon }}, log
}

func TestNothingAskedIsAnError(t *testing.T) {
	for _, c := range []authz.Caller{ada(), root(), {}} {
		a, log := host(t)
		for name, ask := range map[string]func(context.Context, authz.Caller, ...authz.Check) (authz.Grant, error){
			"Authorize": a.Authorize, "AuthorizeEach": a.AuthorizeEach,
		} {
			g, err := ask(t.Context(), c)
			if err == nil || fault.Has(err, fault.AccessDenied) {
				t.Errorf("%s by %s: got %v, want an error of ours", name, c.Principal.Kind, err)
			}
			if g.Denial(0) == nil {
				t.Errorf("%s by %s: a Grant came of it", name, c.Principal.Kind)
			}
		}
		if len(log.calls) != 0 {
			t.Errorf("%v was logged without a decision", log.calls)
		}
	}
}

func TestAuthorize(t *testing.T) {
	for _, tc := range []struct {
		name     string
		checks   []authz.Check
		outcomes []policy.Outcome
		refused  int // index of the check that the fault tells of; -1: allowed
	}{
		{"allowed", []authz.Check{pushTo(payments, topic)}, []policy.Outcome{policy.Allow}, -1},
		{"an explicit deny", []authz.Check{pushTo(payments, main)}, []policy.Outcome{policy.ExplicitDeny}, 0},
		{"an implicit deny", []authz.Check{pushTo(website, topic)}, []policy.Outcome{policy.ImplicitDeny}, 0},
		{"a push is advertised without References", []authz.Check{{Action: push, Resource: payments}}, []policy.Outcome{policy.Allow}, -1},
		{"all are allowed", []authz.Check{pushTo(payments, topic), {Action: pull, Resource: website}},
			[]policy.Outcome{policy.Allow, policy.Allow}, -1},
		{"decided to the end after a denial", []authz.Check{pushTo(payments, topic), pushTo(website, topic), pushTo(payments, main), pushTo(payments, topic)},
			[]policy.Outcome{policy.Allow, policy.ImplicitDeny, policy.ExplicitDeny, policy.Allow}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, log := host(t)
			g, err := a.Authorize(t.Context(), ada(), tc.checks...)
			var got []policy.Outcome
			for i, e := range log.only(t) {
				got = append(got, e.Outcome)
				if e.Action != tc.checks[i].Action || e.Resource != tc.checks[i].ResourceText() || !cmp.Equal(e.Values, tc.checks[i].Values) {
					t.Errorf("entry %d is of another check: %+v", i, e)
				}
			}
			if diff := cmp.Diff(tc.outcomes, got); diff != "" {
				t.Errorf("logged outcomes (-want +got):\n%s", diff)
			}
			if tc.refused < 0 {
				if err != nil {
					t.Fatal(err)
				}
				for i, c := range tc.checks {
					if g.Denial(i) != nil || !g.CoversAction(c.Action, c.Resource) {
						t.Errorf("check %d is not covered", i)
					}
				}
				return
			}
			if !fault.Has(err, fault.AccessDenied) {
				t.Fatalf("got %v, want AccessDenied", err)
			}
			d, ok := errors.AsType[*authz.Denial](err)
			if !ok || !cmp.Equal(d.Check, tc.checks[tc.refused]) || d.Caller != ada() || d.Explanation.Outcome() != tc.outcomes[tc.refused] {
				t.Errorf("got denial %+v, want that of check %d", d, tc.refused)
			}
			coversNothing(t, g, tc.checks)
		})
	}
}

// coversNothing holds that a Grant is of no use to a writer.
func coversNothing(t *testing.T, g authz.Grant, checks []authz.Check) {
	t.Helper()
	for i, c := range checks {
		ref, _ := c.Value(refs)
		if g.Covers(c.Action, c.Resource, refs, ref) || g.CoversAction(c.Action, c.Resource) || g.Denial(i) == nil {
			t.Errorf("the Grant covers check %d", i)
		}
	}
}

func TestRoot(t *testing.T) {
	a, log := host(t)
	a.Source = nil // it is not asked about root
	checks := []authz.Check{pushTo(website, main), {Action: "iam:DeleteUser"}, {Action: "nobody:Knows"}}
	g, err := a.Authorize(t.Context(), root(), checks...)
	if err != nil || !g.Covers(push, website, refs, main) || g.Caller() != root() {
		t.Fatalf("got %+v, %v", g, err)
	}
	for _, e := range log.only(t) {
		if e.Outcome != policy.Allow || e.Reason != "allow: the account's root user is not bound by identity policies" || len(e.Policies) != 0 {
			t.Errorf("got entry %+v", e)
		}
	}
}

func TestCallersWithoutPolicies(t *testing.T) {
	gone := ada()
	gone.Principal.UserID = "AIDAGONE"
	for _, tc := range []struct {
		name      string
		caller    authz.Caller
		situation authz.Situation
		known     bool
		want      fault.Code
	}{
		{"who no longer exists", gone, authz.Situation{}, false, fault.InvalidClientTokenID},
		{"nobody", authz.Caller{}, authz.Situation{}, false, fault.InvalidClientTokenID},
		{"without a situation", ada(), authz.Situation{}, true, fault.AccessDenied},
		{"without policies", ada(), authz.Situation{Policies: &policy.Situation{}}, true, fault.AccessDenied},
		{"nobody, of whom the source says nothing", authz.Caller{}, authz.Situation{}, true, fault.AccessDenied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			log := &journal{}
			source := principals{}
			if tc.known {
				source[tc.caller.Principal.UserID] = tc.situation
			}
			a := &authz.Authorizer{Source: source, Log: log, Now: func() time.Time { return noon }}
			checks := []authz.Check{{Action: pull, Resource: payments}}
			g, err := a.Authorize(t.Context(), tc.caller, checks...)
			if !fault.Has(errors.Unwrap(err), tc.want) && !fault.Has(err, tc.want) {
				t.Errorf("got %v, want %s", err, tc.want.Name)
			}
			coversNothing(t, g, checks)
			if tc.known != (len(log.calls) == 1) {
				t.Errorf("%d appends, want a decision %v", len(log.calls), tc.known)
			}
		})
	}
}

// TestUnloggedIsRefused holds that no one acts on a decision that may not be in the log.
func TestUnloggedIsRefused(t *testing.T) {
	full := errors.New("disk full")
	check := pushTo(payments, topic)
	for _, c := range []authz.Caller{ada(), root()} {
		a, log := host(t)
		log.err = full
		for name, ask := range map[string]func() (authz.Grant, error){
			"Authorize":     func() (authz.Grant, error) { return a.Authorize(t.Context(), c, check) },
			"AuthorizeEach": func() (authz.Grant, error) { return a.AuthorizeEach(t.Context(), c, check) },
			"Always":        func() (authz.Grant, error) { return a.Always(t.Context(), c, check) },
		} {
			g, err := ask()
			if _, isFault := errors.AsType[*fault.Fault](err); !errors.Is(err, full) || isFault {
				t.Errorf("%s by %s: got %v, want our own error", name, c.Principal.Kind, err)
			}
			coversNothing(t, g, []authz.Check{check})
		}
	}
}

func TestCancelledIsRefused(t *testing.T) {
	a, log := host(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g, err := a.Authorize(ctx, ada(), pushTo(payments, topic))
	if !errors.Is(err, context.Canceled) || len(log.calls) != 0 {
		t.Errorf("got %v and %d appends", err, len(log.calls))
	}
	coversNothing(t, g, []authz.Check{pushTo(payments, topic)})
}

func TestAuthorizeEach(t *testing.T) {
	a, log := host(t)
	checks := []authz.Check{pushTo(payments, main), pushTo(payments, topic), pushTo(website, topic)}
	g, err := a.AuthorizeEach(t.Context(), ada(), checks...)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []policy.Outcome{policy.ExplicitDeny, policy.Allow, policy.ImplicitDeny} {
		d := g.Denial(i)
		if want == policy.Allow {
			if d != nil {
				t.Errorf("check %d is refused: %v", i, d)
			}
			continue
		}
		if d == nil || d.Explanation.Outcome() != want || !cmp.Equal(d.Check, checks[i]) || d.Caller != ada() {
			t.Errorf("check %d: got %+v, want %v", i, d, want)
		}
	}
	if !g.Covers(push, payments, refs, topic) || g.Covers(push, payments, refs, main) || g.Covers(push, website, refs, topic) {
		t.Error("the Grant does not cover exactly what was allowed")
	}
	if n := len(log.only(t)); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}

	// All refused is still an answer.
	g, err = a.AuthorizeEach(t.Context(), ada(), checks[0])
	if err != nil {
		t.Fatal(err)
	}
	coversNothing(t, g, checks[:1])
}

func TestZeroGrant(t *testing.T) {
	var g authz.Grant
	coversNothing(t, g, []authz.Check{pushTo(payments, topic), {}})
	if g.Caller() != (authz.Caller{}) {
		t.Errorf("it is granted to %+v", g.Caller())
	}
}

func TestGrantCovers(t *testing.T) {
	for name, others := range map[string]int{"few": 0, "many": 40} {
		t.Run(name, func(t *testing.T) { testGrantCovers(t, others) })
	}
}

func testGrantCovers(t *testing.T, others int) {
	a, _ := host(t)
	c := authz.Check{Action: push, Resource: payments, Values: []authz.Value{
		{Key: refs, Values: []string{topic}}, {Key: "k:many", Values: []string{"a", "b"}}, {Key: "k:none"}, {Key: "k:empty", Values: []string{""}},
	}}
	checks := []authz.Check{c, {Action: pull, Resource: website}, {Action: "iam:ListUsers"}}
	for i := range others {
		checks = append(checks, authz.Check{Action: push, Resource: payments, Values: []authz.Value{{Key: refs, Values: []string{fmt.Sprint("refs/heads/other-", i)}}}})
	}
	g, err := a.Authorize(t.Context(), root(), checks...)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name       string
		action     string
		resource   arn.ARN
		key, value string
		want, bare bool // Covers and CoversAction
	}{
		{"the check", push, payments, refs, topic, true, true},
		{"another ref", push, payments, refs, main, false, true},
		{"another repository", push, website, refs, topic, false, false},
		{"no repository", push, arn.ARN{}, refs, topic, false, false},
		{"another action", pull, payments, refs, topic, false, false},
		{"the action of another spelling", "codecommit:gitpush", payments, refs, topic, false, false},
		{"another key", push, payments, "codecommit:Reference", topic, false, true},
		{"the beginning of the ref", push, payments, refs, "refs/heads/", false, true},
		{"another case of the ref", push, payments, refs, "refs/heads/Topic", false, true},
		{"no value", push, payments, refs, "", false, true},
		{"one of several values", push, payments, "k:many", "a", false, true},
		{"a key without values", push, payments, "k:none", "", false, true},
		{"an empty value", push, payments, "k:empty", "", true, true},
		{"a check without keys", pull, website, refs, topic, false, true},
		{"a check without keys, no value", pull, website, "", "", false, true},
		{"what two checks have together", pull, payments, "", "", false, false},
		{"a check without resource", "iam:ListUsers", arn.ARN{}, "", "", false, true},
		{"nothing", "", arn.ARN{}, "", "", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := g.Covers(tc.action, tc.resource, tc.key, tc.value); got != tc.want {
				t.Errorf("Covers is %v", got)
			}
			if got := g.CoversAction(tc.action, tc.resource); got != tc.bare {
				t.Errorf("CoversAction is %v", got)
			}
		})
	}
}

// TestMiscountedCheckIsDenied holds that an index without a check is a denial that
// says so, and that it renders.
func TestMiscountedCheckIsDenied(t *testing.T) {
	a, _ := host(t)
	g, err := a.Authorize(t.Context(), ada(), pushTo(payments, topic))
	if err != nil {
		t.Fatal(err)
	}
	if g.Denial(0) != nil {
		t.Fatal("the check is refused")
	}
	for _, i := range []int{-1, 1, 2} {
		d := g.Denial(i)
		if d == nil {
			t.Fatalf("no denial at %d", i)
		}
		if d.Explanation != nil || d.Reason() != "no decision was made" || d.Caller != ada() || !fault.Has(d.Fault(), fault.AccessDenied) {
			t.Errorf("got %+v at %d", d, i)
		}
	}
}

// TestGrantIsOfWhatWasDecided holds that a Grant proves what was decided, though the
// caller goes on using its list of checks.
func TestGrantIsOfWhatWasDecided(t *testing.T) {
	a, _ := host(t)
	checks := []authz.Check{pushTo(payments, topic)}
	for name, ask := range map[string]func() (authz.Grant, error){
		"Authorize":     func() (authz.Grant, error) { return a.Authorize(t.Context(), ada(), checks...) },
		"AuthorizeEach": func() (authz.Grant, error) { return a.AuthorizeEach(t.Context(), ada(), checks...) },
	} {
		checks[0] = pushTo(payments, topic)
		g, err := ask()
		if err != nil {
			t.Fatal(err)
		}
		checks[0] = pushTo(payments, main)
		if g.Covers(push, payments, refs, main) || !g.Covers(push, payments, refs, topic) {
			t.Errorf("%s: the Grant changed after the decision", name)
		}
	}
}

// TestKeyListedTwice holds that a Grant does not cover a value that no policy saw: of a
// key that a check lists twice a policy sees one value, here that of the topic.
func TestKeyListedTwice(t *testing.T) {
	for _, spelling := range []string{refs, "CodeCommit:references"} {
		a, _ := host(t)
		g, err := a.Authorize(t.Context(), ada(), authz.Check{Action: push, Resource: payments, Values: []authz.Value{
			{Key: refs, Values: []string{main}}, {Key: spelling, Values: []string{topic}},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if g.Covers(push, payments, refs, main) {
			t.Errorf("%s: the Grant covers a ref whose push is denied", spelling)
		}
	}
}

func TestAlways(t *testing.T) {
	check := authz.Check{Action: "sts:GetCallerIdentity"}
	session := authz.Caller{Principal: authz.Principal{Kind: authz.AssumedRole, UserID: "AROA:s"}}
	for _, c := range []authz.Caller{ada(), root(), session} {
		a, log := host(t)
		a.Source = nil // policies do not count
		g, err := a.Always(t.Context(), c, check)
		if err != nil || g.Denial(0) != nil || g.Denial(1) == nil || !g.CoversAction(check.Action, arn.ARN{}) || g.Caller() != c {
			t.Errorf("%s: got %+v, %v", c.Principal.Kind, g, err)
		}
		e := log.only(t)
		if len(e) != 1 || e[0].Outcome != policy.Allow || e[0].Reason != "allow: the service lets every caller do this" || e[0].Action != check.Action {
			t.Errorf("%s: got entries %+v", c.Principal.Kind, e)
		}
	}

	a, log := host(t)
	g, err := a.Always(t.Context(), authz.Caller{}, check)
	if !fault.Has(err, fault.MissingAuthenticationToken) || len(log.calls) != 0 {
		t.Errorf("nobody: got %v, logged %v", err, log.calls)
	}
	coversNothing(t, g, []authz.Check{check})
}

func TestCheckValue(t *testing.T) {
	c := authz.Check{Values: []authz.Value{{Key: "one", Values: []string{"a"}}, {Key: "many", Values: []string{"a", "b"}}, {Key: "none"},
		{Key: "twice", Values: []string{"a"}}, {Key: "Twice", Values: []string{"b"}}, {Key: "half", Values: []string{"a"}}, {Key: "half"}}}
	for key, want := range map[string]string{"one": "a", "ONE": "a", "many": "", "none": "", "absent": "", "twice": "", "Twice": "", "half": "", "": ""} {
		if got, ok := c.Value(key); got != want || ok != (want != "") {
			t.Errorf("%s: got %q, %v", key, got, ok)
		}
	}
	if c.ResourceText() != "*" || (authz.Check{Resource: payments}).ResourceText() != payments.String() {
		t.Error("the resource is not the ARN, or * without one")
	}
}
