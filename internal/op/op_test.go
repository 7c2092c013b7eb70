package op_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/policy"
)

const account = "111122223333"

var payments = arn.ARN{Partition: "aws", Service: "codecommit", Region: "us-east-1", Account: account, Resource: "payments"}

// reader is a Source: everybody may pull, and nothing else.
type reader struct{ policies *policy.Situation }

func (s reader) Situation(context.Context, authz.Principal) (authz.Situation, error) {
	return authz.Situation{Policies: s.policies}, nil
}

// steps is what happened, in order. It is the Log of the tests, too.
type steps struct {
	did []string
	err error // of the log
}

func (s *steps) Append(_ context.Context, entries ...authz.Entry) error {
	for _, e := range entries {
		s.did = append(s.did, e.Outcome.String()+" "+e.Action)
	}
	return s.err
}

func authorizer(t *testing.T, log authz.Log) *authz.Authorizer {
	t.Helper()
	p, err := policy.Parse(policy.Source{Name: "Read"}, policy.Identity,
		[]byte(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": "*"}}`))
	if err != nil {
		t.Fatal(err)
	}
	return &authz.Authorizer{
		Source: reader{&policy.Situation{Identity: []*policy.Policy{p}}}, Log: log,
		Now: func() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) },
	}
}

func user() authz.Caller {
	return authz.Caller{Principal: authz.Principal{Kind: authz.User, Account: account, UserID: "AIDAADA", Name: "ada",
		ARN: arn.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "user/ada"}}}
}

type input struct{ Name string }
type output struct {
	Name  string
	Grant authz.Grant
}

// does returns an operation that asks for actions on a repository and tells the steps
// what it did.
func does(s *steps, spec op.Spec, checksErr, runErr error, actions ...string) *op.Operation[input, output] {
	spec.Service, spec.Name = "codecommit", "Try"
	return &op.Operation[input, output]{
		Spec: spec,
		Checks: func(_ context.Context, c authz.Caller, in *input) ([]authz.Check, error) {
			s.did = append(s.did, "checks "+in.Name+" by "+c.Principal.Name)
			var checks []authz.Check
			for _, a := range actions {
				checks = append(checks, authz.Check{Action: a, Resource: payments})
			}
			return checks, checksErr
		},
		Run: func(_ context.Context, g authz.Grant, in *input) (*output, error) {
			s.did = append(s.did, "run "+in.Name)
			if runErr != nil {
				return nil, runErr
			}
			return &output{in.Name, g}, nil
		},
	}
}

const (
	pull = "codecommit:GitPull"
	push = "codecommit:GitPush"
)

func TestInvoke(t *testing.T) {
	malformed := fault.ValidationError.New("name")
	broken := errors.New("disk")
	always := op.Spec{Always: "for everybody"}
	for _, tc := range []struct {
		name      string
		spec      op.Spec
		nobody    bool
		checksErr error
		runErr    error
		logErr    error
		actions   []string
		did       []string
		want      error // nil: it ran
		denied    []bool
	}{
		{name: "allowed", actions: []string{pull}, did: []string{"checks x by ada", "allow " + pull, "run x"}, denied: []bool{false}},
		{name: "denied", actions: []string{push}, did: []string{"checks x by ada", "implicitDeny " + push}, want: fault.AccessDenied.New("")},
		{name: "one of two denied", actions: []string{pull, push}, did: []string{"checks x by ada", "allow " + pull, "implicitDeny " + push},
			want: fault.AccessDenied.New("")},
		{name: "malformed input is told before a denial", checksErr: malformed, actions: []string{push}, did: []string{"checks x by ada"}, want: malformed},
		{name: "malformed input of what is allowed", checksErr: malformed, actions: []string{pull}, did: []string{"checks x by ada"}, want: malformed},
		{name: "Run fails", runErr: broken, actions: []string{pull}, did: []string{"checks x by ada", "allow " + pull, "run x"}, want: broken},
		{name: "the log fails", logErr: broken, actions: []string{pull}, did: []string{"checks x by ada", "allow " + pull}, want: broken},

		{name: "each check, one allowed", spec: op.Spec{EachCheck: true}, actions: []string{push, pull},
			did: []string{"checks x by ada", "implicitDeny " + push, "allow " + pull, "run x"}, denied: []bool{true, false}},
		{name: "each check, none allowed", spec: op.Spec{EachCheck: true}, actions: []string{push},
			did: []string{"checks x by ada", "implicitDeny " + push, "run x"}, denied: []bool{true}},
		{name: "each check, the log fails", spec: op.Spec{EachCheck: true}, logErr: broken, actions: []string{pull},
			did: []string{"checks x by ada", "allow " + pull}, want: broken},

		{name: "always", spec: always, actions: []string{push}, did: []string{"checks x by ada", "allow " + push, "run x"}, denied: []bool{false}},
		{name: "always, but not for nobody", spec: always, nobody: true, actions: []string{push}, did: []string{"checks x by "},
			want: fault.MissingAuthenticationToken.New("")},
		{name: "always, the log fails", spec: always, logErr: broken, actions: []string{push}, did: []string{"checks x by ada", "allow " + push}, want: broken},
		// The promise is of one check; a second one is something else, which policies decide.
		{name: "always with two checks is decided", spec: always, actions: []string{pull, push},
			did: []string{"checks x by ada", "allow " + pull, "implicitDeny " + push}, want: fault.AccessDenied.New("")},
		{name: "always and each check, with two checks", spec: op.Spec{Always: "x", EachCheck: true}, actions: []string{pull, push},
			did: []string{"checks x by ada", "allow " + pull, "implicitDeny " + push, "run x"}, denied: []bool{false, true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := &steps{err: tc.logErr}
			c := user()
			if tc.nobody {
				c = authz.Caller{}
			}
			o := does(s, tc.spec, tc.checksErr, tc.runErr, tc.actions...)
			out, err := op.Invoke(t.Context(), authorizer(t, s), c, o, &input{"x"})
			if diff := cmp.Diff(tc.did, s.did); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if tc.want != nil {
				if !errors.Is(err, tc.want) || out != nil {
					t.Errorf("got %v, %v; want %v", out, err, tc.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if out.Grant.Caller() != c || out.Name != "x" {
				t.Errorf("Run was given another's Grant or input: %+v", out)
			}
			for i, denied := range tc.denied {
				if (out.Grant.Denial(i) != nil) != denied {
					t.Errorf("check %d: got denial %v", i, out.Grant.Denial(i))
				}
			}
		})
	}
}

// TestForgotToAsk holds that an operation without checks does not run, whatever its row
// promises and whoever asks.
func TestForgotToAsk(t *testing.T) {
	root := authz.Caller{Principal: authz.Principal{Kind: authz.Root, Account: account, UserID: account, Name: "root"}}
	for _, c := range []authz.Caller{user(), root, {}} {
		for _, spec := range []op.Spec{{}, {EachCheck: true}, {Always: "x"}, {Always: "x", EachCheck: true}} {
			s := &steps{}
			out, err := op.Invoke(t.Context(), authorizer(t, s), c, does(s, spec, nil, nil), &input{"x"})
			if _, isFault := errors.AsType[*fault.Fault](err); err == nil || isFault || out != nil || len(s.did) != 1 {
				t.Errorf("%s, %+v: got %v, %v after %v", c.Principal.Kind, spec, out, err, s.did)
			}
		}
	}
}

func TestInvokeAny(t *testing.T) {
	s := &steps{}
	var o op.Any = does(s, op.Spec{}, nil, nil, pull)
	in, ok := o.NewInput().(*input)
	if !ok || *in != (input{}) {
		t.Fatalf("NewInput gives %#v", o.NewInput())
	}
	if in2 := o.NewInput(); in2 == any(in) {
		t.Error("NewInput gives the same input twice")
	}
	if _, ok := o.NewOutput().(*output); !ok {
		t.Errorf("NewOutput gives a %T", o.NewOutput())
	}
	in.Name = "x"
	out, err := o.InvokeAny(t.Context(), authorizer(t, s), user(), in)
	if got, ok := out.(*output); err != nil || !ok || got.Name != "x" {
		t.Errorf("got %#v, %v", out, err)
	}

	// A refusal has no output at all, not one that is a nil pointer.
	denied := does(s, op.Spec{}, nil, nil, push)
	if out, err := denied.InvokeAny(t.Context(), authorizer(t, s), user(), in); out != nil || !fault.Has(err, fault.AccessDenied) {
		t.Errorf("got %#v, %v; want nil and AccessDenied", out, err)
	}

	for _, wrong := range []any{nil, input{"x"}, "x", new(output), new(*input)} {
		s.did = nil
		out, err := o.InvokeAny(t.Context(), authorizer(t, s), user(), wrong)
		if _, isFault := errors.AsType[*fault.Fault](err); out != nil || err == nil || isFault {
			t.Errorf("%T: got %v, %v; want an error of ours", wrong, out, err)
		}
		if len(s.did) != 0 {
			t.Errorf("%T: it did %v", wrong, s.did)
		}
	}
}

func TestIAMActions(t *testing.T) {
	for _, tc := range []struct {
		spec op.Spec
		want []string
	}{
		{op.Spec{Service: "codecommit", Name: "CreateBranch"}, []string{"codecommit:CreateBranch"}},
		{op.Spec{Service: "codecommit", Name: "CreateBranch", Actions: []string{}}, []string{"codecommit:CreateBranch"}},
		{op.Spec{Service: "codecommit", Name: "PutFile", Actions: []string{"codecommit:PutFile", push}}, []string{"codecommit:PutFile", push}},
		{op.Spec{Service: "codecommit", Name: "GitPushAdvertise", Actions: []string{push}}, []string{push}},
	} {
		if diff := cmp.Diff(tc.want, tc.spec.IAMActions()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.spec.Name, diff)
		}
	}
}

func row(service, name string) op.Any {
	return &op.Operation[input, output]{Spec: op.Spec{Service: service, Name: name}}
}

func TestTable(t *testing.T) {
	createBranch, getUser := row("codecommit", "CreateBranch"), row("iam", "GetUser")
	table, err := op.NewTable(
		[]op.Any{getUser, row("iam", "CreateUser")}, nil,
		[]op.Any{row("sts", "GetUser"), row("codecommit", "GitPush"), createBranch},
	)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range table.All() {
		got = append(got, o.Row().Service+":"+o.Row().Name)
	}
	want := []string{"codecommit:CreateBranch", "codecommit:GitPush", "iam:CreateUser", "iam:GetUser", "sts:GetUser"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("operations (-want +got):\n%s", diff)
	}
	if o, ok := table.Lookup("iam", "GetUser"); !ok || o != getUser {
		t.Errorf("got %v, %v", o, ok)
	}
	for _, absent := range [][2]string{{"codecommit", "GetUser"}, {"iam", "getuser"}, {"IAM", "GetUser"}, {"iam", ""}, {"", "GetUser"}, {"", ""}, {"", "iam:GetUser"}} {
		if o, ok := table.Lookup(absent[0], absent[1]); ok || o != nil {
			t.Errorf("%q: got %v", absent, o)
		}
	}
}

func TestTableTwice(t *testing.T) {
	twice := []op.Any{row("iam", "GetUser"), row("iam", "GetUser")}
	for name, groups := range map[string][][]op.Any{
		"in one group":  {twice},
		"in two groups": {twice[:1], {row("sts", "GetUser")}, twice[1:]},
	} {
		if table, err := op.NewTable(groups...); err == nil || table != nil {
			t.Errorf("%s: got %v, %v", name, table, err)
		}
	}
	if table, err := op.NewTable(); err != nil || len(table.All()) != 0 {
		t.Errorf("no groups: got %v, %v", table, err)
	}
}

// TestRefEffects holds that the effects are a set: each is a bit of its own.
func TestRefEffects(t *testing.T) {
	all := []op.RefEffect{op.CreatesRef, op.FastForwardsRef, op.ForcesRef, op.DeletesRef, op.MovesHead, op.DropsRefs}
	for i, e := range all {
		if e == 0 || e&(e-1) != 0 || slices.Contains(all[:i], e) {
			t.Errorf("effect %d is %b", i, e)
		}
	}
}
