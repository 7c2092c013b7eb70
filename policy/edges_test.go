package policy_test

import (
	"strings"
	"testing"

	"github.com/refward/refward/policy"
)

// TestEdges: requests and documents at the edges of what is quick: a name of an action
// longer than any that exists, a resource that only begins as an ARN, a text that ends
// inside of a string where eight bytes end.
func TestEdges(t *testing.T) {
	long := "codecommit:" + strings.Repeat("Git", 30)
	for _, c := range []struct {
		name, statement, action, resource string
		want                              policy.Outcome
	}{
		{"a long action fits a pattern", `"Action": "codecommit:gitgit*"`, long, "*", policy.Allow},
		{"a long action does not fit one", `"Action": "codecommit:?it"`, long, "*", policy.ImplicitDeny},
		{"not an ARN, though it begins as one", `"Action": "*"`, "codecommit:GitPull", "arn:aws:codecommit", policy.ImplicitDeny},
	} {
		resource := `"Resource": "*"`
		if c.resource != "*" {
			resource = `"Resource": "arn:aws:codecommit:*:*:?"`
		}
		doc := `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", ` + c.statement + `, ` + resource + `}}`
		p, err := policy.Parse(policy.Source{}, policy.Identity, []byte(doc))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		s := &policy.Situation{Identity: []*policy.Policy{p}}
		if got := s.Decide(&policy.Request{Action: c.action, Resource: c.resource}); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	for n := range 17 {
		if _, err := policy.Parse(policy.Source{}, policy.Identity, []byte(`{"`+strings.Repeat("a", n))); err == nil {
			t.Errorf("a document that ends after %d bytes of a name is accepted", n)
		}
	}
}
