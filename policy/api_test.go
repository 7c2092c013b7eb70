package policy_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/policy"
)

const pushOnly = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:GitPush", "Resource": "*"}}`

// A key that is set again loses its old values; one that is set to none is missing, and
// the decision follows.
func TestContext(t *testing.T) {
	const doc = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"k:a": "1"}, "Null": {"k:b": "true"}}}}`
	s := &policy.Situation{Identity: []*policy.Policy{mustParse(t, policy.Source{Name: "p"}, policy.Identity, doc)}}
	r := &policy.Request{Action: "codecommit:GitPush", Resource: "*"}
	for _, tc := range []struct {
		key    string
		values []string
		want   policy.Outcome
	}{
		{"k:none", nil, policy.ImplicitDeny},
		{"k:b", []string{"x", "y"}, policy.ImplicitDeny},
		{"k:a", []string{"1"}, policy.ImplicitDeny},
		{"k:c", []string{"z"}, policy.ImplicitDeny},
		{"K:B", nil, policy.Allow},
		{"K:A", []string{"2"}, policy.ImplicitDeny},
		{"k:A", []string{"1"}, policy.Allow},
	} {
		r.Context.Set(tc.key, tc.values...)
		if got := r.Context.Values(strings.ToUpper(tc.key)); !slices.Equal(got, tc.values) {
			t.Errorf("%s: %q, want %q", tc.key, got, tc.values)
		}
		if got := s.Decide(r); got != tc.want {
			t.Errorf("after setting %s to %q: %v, want %v", tc.key, tc.values, got, tc.want)
		}
	}
	names := []string{}
	for k := range r.Context.All() {
		names = append(names, k)
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"k:a", "k:c"}, names); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for range r.Context.All() {
		break // stops without asking for more
	}
}

func TestContextKeys(t *testing.T) {
	p := mustParse(t, policy.Source{}, policy.Identity, `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "*", "Resource": ["*", "arn:aws:codecommit:us-east-1:111122223333:${aws:username}", "arn:aws:codecommit:${k:short}"],
		 "Condition": {"StringLike": {"k:b": ["a", "*${k:c}"]}, "ArnLike": {"k:arn": "arn:aws:iam::111122223333:user/${AWS:UserName}"}, "NumericEquals": {"K:B": "1"}}}]}`)
	if diff := cmp.Diff([]string{"aws:username", "k:arn", "k:b", "k:c", "k:short"}, p.ContextKeys()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// IAM User Guide, "IAM JSON policy elements: Condition operators": every name with every
// set operator, and with IfExists for all but Null, is read as it is documented.
func TestParseOperator(t *testing.T) {
	names := policy.Operators()
	if len(names) != 27 {
		t.Errorf("%d operators, want 27", len(names))
	}
	for _, name := range names {
		for _, set := range []policy.SetOperator{policy.NoSet, policy.ForAllValues, policy.ForAnyValue} {
			for _, ifExists := range []bool{false, true} {
				text := set.String() + name
				if ifExists {
					text += "IfExists"
				}
				op, ok := policy.ParseOperator(text)
				if ok != (name != "Null" || !ifExists) {
					t.Errorf("%s: known %v", text, ok)
				}
				if ok && (op.String() != text || op.Set != set || op.Base != name || op.IfExists != ifExists || op.Contested) {
					t.Errorf("%s is read as %+v", text, op)
				}
				other, ok2 := policy.ParseOperator(strings.ToUpper(text))
				op.Contested = ok
				if ok != ok2 || other != op {
					t.Errorf("%s in upper case is read as %+v", text, other)
				}
			}
		}
	}
	for text, want := range map[string]policy.Operator{
		"StringNotLike":                 {Base: "StringNotLike", Family: policy.StringFamily, Wildcards: true, Negated: true},
		"StringNotEqualsIgnoreCase":     {Base: "StringNotEqualsIgnoreCase", Family: policy.StringFamily, IgnoreCase: true, Negated: true},
		"ForAnyValue:ArnEqualsIfExists": {Set: policy.ForAnyValue, Base: "ArnEquals", Family: policy.ARNFamily, Wildcards: true, IfExists: true},
		"NotIpAddress":                  {Base: "NotIpAddress", Family: policy.AddressFamily, Negated: true},
		"ForAllValues:NumericLessThan":  {Set: policy.ForAllValues, Base: "NumericLessThan", Family: policy.NumericFamily},
		"DateGreaterThanEqualsIfExists": {Base: "DateGreaterThanEquals", Family: policy.DateFamily, IfExists: true},
		"Bool":                          {Base: "Bool", Family: policy.BoolFamily},
		"BinaryEquals":                  {Base: "BinaryEquals", Family: policy.BinaryFamily},
		"Null":                          {Base: "Null", Family: policy.NullFamily},
		"forAllValues:StringEquals":     {Set: policy.ForAllValues, Base: "StringEquals", Family: policy.StringFamily, Contested: true},
		"ForAllValues: StringEquals":    {},
		"StringEqualsIfExistsIfExists":  {},
		"ForAnyValue:ForAllValues:Bool": {},
		"IfExists":                      {},
		"":                              {},
		"ForAnyValue:":                  {},
		"StringEqual":                   {},
	} {
		if op, ok := policy.ParseOperator(text); op != want || ok != (want.Base != "") {
			t.Errorf("%q is read as %+v, %v; want %+v", text, op, ok, want)
		}
	}
}

// The same policy under another name decides alike and is told by that name.
func TestAt(t *testing.T) {
	p := mustParse(t, policy.Source{Name: "old"}, policy.Identity, pushOnly)
	q := p.At(policy.Source{Name: "new\x1b", Owner: "group\nJuniors"})
	if p.Source().Name != "old" || q.Digest() != p.Digest() || len(q.Digest()) != 64 || q.Text() != pushOnly {
		t.Errorf("%v became %v", p.Source(), q.Source())
	}
	s := &policy.Situation{Identity: []*policy.Policy{q}}
	e := s.Explain(&policy.Request{Action: "codecommit:GitPush", Resource: "*"})
	if got, want := e.Line(), "allow: policy new  of group Juniors, statement 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := e.Paragraph(); !strings.Contains(got, "new  of group Juniors, statement 1 at") {
		t.Error(got)
	}
	if got, want := policy.Unconditional("root").Paragraph(), "allow: root\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A policy with principals needs a caller; without one it speaks to nobody. Without a
// situation or a policy the rest decides alone.
func TestDecideWithout(t *testing.T) {
	trust := mustParse(t, policy.Source{Name: "t"}, policy.Trust, `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}`)
	r := &policy.Request{Action: "sts:AssumeRole", Resource: "arn:aws:iam::111122223333:role/x"}
	var nobody *policy.Situation
	caller := policy.Caller{ARN: "arn:aws:iam::111122223333:user/ann", Account: "111122223333", UserID: "AIDAEXAMPLEANN"}
	if got := nobody.DecideFor(caller, trust, r); got != policy.Allow {
		t.Errorf("a trust policy for everyone: %v", got)
	}
	if got := nobody.DecideFor(caller, nil, r); got != policy.ImplicitDeny {
		t.Errorf("no policy: %v", got)
	}
	s := &policy.Situation{Identity: []*policy.Policy{trust}}
	e := s.Explain(r)
	if got := s.Decide(r); got != policy.ImplicitDeny || e.Outcome() != got {
		t.Errorf("without a caller: decided %v, explained %v", got, e.Outcome())
	}
	if got := e.Paragraph(); !strings.Contains(got, "Principal") {
		t.Error(got)
	}
}

// Values that no constant names print as numbers; a long list is shortened.
func TestWords(t *testing.T) {
	if got := policy.Outcome(9).String() + policy.Layer(9).String() + policy.Kind(9).String() + policy.Effect(9).String(); got != "9999" {
		t.Error(got)
	}
	doc := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"k:a": ["1", "2", "3", "4", "5", "6"]}}}}`
	s := &policy.Situation{Identity: []*policy.Policy{mustParse(t, policy.Source{Name: "p"}, policy.Identity, doc)}}
	want := `k:a ["1" "2" "3" "4" … 2 more] does not hold: the request does not carry the key`
	if got := s.Explain(&policy.Request{Action: "a:b", Resource: "*"}).Line(); !strings.Contains(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What cannot stand in a text file of the corpus.
func TestRefuseBytes(t *testing.T) {
	condition := func(keys string) string {
		return `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {` + keys + `}}}}`
	}
	many := []string{}
	for i := range 40 {
		many = append(many, fmt.Sprintf(`"k:%d": "x"`, i))
	}
	long := bytes.Repeat([]byte(" "), policy.MaxDocument-len(pushOnly))
	for name, tc := range map[string]struct {
		doc    string
		detail string // "" for what is taken
	}{
		"longest":        {pushOnly + string(long), ""},
		"too long":       {pushOnly + string(long) + " ", "longer than"},
		"not UTF-8":      {"{\"\xff\": 1}", "not UTF-8"},
		"deep":           {strings.Repeat("[", 40), "nested deeper"},
		"many keys":      {condition(strings.Join(many, ",")), ""},
		"repeated late":  {condition(strings.Join(many, ",") + `, "k:39": "y"`), "repeated name"},
		"repeated early": {condition(strings.Join(many, ",") + `, "k:0": "y"`), "repeated name"},
		"open name":      {`{"a`, "does not end"},
		"open escape":    {`{"a\n`, "does not end"},
		"cut escape":     {`{"a\`, "an escape that JSON does not have"},
		"tab in escaped": {"{\"a\\n\tb\": 1}", "control character"},
	} {
		_, err := policy.Parse(policy.Source{Name: name}, policy.Identity, []byte(tc.doc))
		failed, refused := errors.AsType[*policy.SyntaxError](err)
		switch {
		case tc.detail == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.detail != "" && (!refused || !strings.Contains(failed.Detail, tc.detail)):
			t.Errorf("%s: %v, want %q", name, err, tc.detail)
		case refused && !strings.HasPrefix(err.Error(), failed.Message+" (line 1, column "):
			t.Errorf("%s: %v", name, err)
		}
	}
}
