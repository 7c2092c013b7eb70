package policy_test

import (
	"errors"
	"fmt"

	"github.com/refward/refward/policy"
)

// The policy of a group that may work on one repository but not change its master.
const juniorsDocument = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "codecommit:*", "Resource": "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo"},
    {"Sid": "KeepOffMaster", "Effect": "Deny", "Action": ["codecommit:GitPush", "codecommit:PutFile"],
     "Resource": "arn:aws:codecommit:*:*:*",
     "Condition": {
       "StringEqualsIfExists": {"codecommit:References": ["refs/heads/master"]},
       "Null": {"codecommit:References": false}
     }}
  ]
}`

func pushTo(ref string) *policy.Request {
	r := &policy.Request{Action: "codecommit:GitPush", Resource: "arn:aws:codecommit:us-east-1:111122223333:MyDemoRepo"}
	if ref != "" {
		r.Context.Set("codecommit:References", ref)
	}
	return r
}

// Parse a document once, and decide as many requests as there are.
func Example() {
	p, err := policy.Parse(policy.Source{Name: "Juniors", Owner: "group Juniors"}, policy.Identity, []byte(juniorsDocument))
	if err != nil {
		fmt.Println(err)
		return
	}
	s := &policy.Situation{Identity: []*policy.Policy{p}}
	fmt.Println(s.Decide(pushTo("")))
	fmt.Println(s.Decide(pushTo("refs/heads/feature")))
	fmt.Println(s.Decide(pushTo("refs/heads/master")))
	// Output:
	// allow
	// allow
	// explicitDeny
}

// An explanation says which statement decided.
func ExampleSituation_Explain() {
	p, err := policy.Parse(policy.Source{Name: "Juniors", Owner: "group Juniors"}, policy.Identity, []byte(juniorsDocument))
	if err != nil {
		fmt.Println(err)
		return
	}
	s := &policy.Situation{Identity: []*policy.Policy{p}}
	fmt.Println(s.Explain(pushTo("refs/heads/master")).Line())
	// Output:
	// explicit deny: policy Juniors of group Juniors, statement 2 "KeepOffMaster"
}

// A document that IAM would refuse is refused with IAM's message, and the place.
func ExampleParse() {
	_, err := policy.Parse(policy.Source{}, policy.Identity, []byte(`{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": "GitPush", "Resource": "*"}
]}`))
	var syntax *policy.SyntaxError
	if errors.As(err, &syntax) {
		fmt.Println(syntax.Message)
		fmt.Printf("line %d, column %d, %s\n", syntax.Line, syntax.Column, syntax.Pointer)
	}
	// Output:
	// Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.
	// line 2, column 33, /Statement/0/Action
}

// A permissions boundary and a session policy never grant: each layer that is set has
// to allow.
func ExampleSituation() {
	parse := func(kind policy.Kind, document string) []*policy.Policy {
		p, err := policy.Parse(policy.Source{}, kind, []byte(document))
		if err != nil {
			fmt.Println(err)
			return nil
		}
		return []*policy.Policy{p}
	}
	s := &policy.Situation{
		Identity: parse(policy.Identity, `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:*", "Resource": "*"}}`),
		Boundary: parse(policy.Boundary, `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "codecommit:GitPull", "Resource": "*"}}`),
	}
	e := s.Explain(pushTo("refs/heads/feature"))
	fmt.Println(e.Outcome(), "by the", e.Layer())
	// Output:
	// implicitDeny by the permissions boundary
}
