package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/refward/refward/policy"
)

// fullRequest is a request with all the keys that a real one carries.
func fullRequest(ref string) *policy.Request {
	r := &policy.Request{Action: "codecommit:GitPush", Resource: "arn:aws:codecommit:us-east-1:111122223333:payments"}
	for _, kv := range [...][2]string{
		{"aws:PrincipalArn", "arn:aws:iam::111122223333:user/juniordev"}, {"aws:PrincipalAccount", "111122223333"},
		{"aws:PrincipalType", "User"}, {"aws:userid", "AIDAEXAMPLEEXAMPLEEXA"}, {"aws:username", "juniordev"},
		{"aws:SourceIp", "203.0.113.7"}, {"aws:UserAgent", "git/2.39.5"}, {"aws:SecureTransport", "true"},
		{"aws:RequestedRegion", "us-east-1"}, {"aws:ResourceAccount", "111122223333"},
		{"aws:CurrentTime", "2026-01-15T10:30:00Z"}, {"aws:EpochTime", "1768473000"},
		{"aws:ViaAWSService", "false"}, {"aws:PrincipalIsAWSService", "false"}, {"codecommit:References", ref},
	} {
		r.Context.Set(kv[0], kv[1])
	}
	return r
}

var storyRefs = [...]struct{ name, ref string }{{"deny", "refs/heads/master"}, {"allow", "refs/heads/feature"}}

func BenchmarkDecide(b *testing.B) {
	s := story(b)
	for _, bc := range storyRefs {
		b.Run(bc.name, func(b *testing.B) {
			r := fullRequest(bc.ref)
			b.ReportAllocs()
			for b.Loop() {
				s.Decide(r)
			}
		})
	}
}

func BenchmarkExplainLineDigests(b *testing.B) {
	s := story(b)
	for _, bc := range storyRefs {
		b.Run(bc.name, func(b *testing.B) {
			r := fullRequest(bc.ref)
			b.ReportAllocs()
			for b.Loop() {
				e := s.Explain(r)
				_, _, _ = e.Outcome(), e.Line(), e.Digests()
			}
		})
	}
	b.Run("implicit", func(b *testing.B) {
		r := fullRequest("refs/heads/master")
		r.Resource += "2"
		b.ReportAllocs()
		for b.Loop() {
			_ = s.Explain(r).Line()
		}
	})
}

func BenchmarkContext(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		fullRequest("refs/heads/master")
	}
}

// statements makes n statements about different actions and repositories, a few of
// which are about GitPush.
func statements(n, offset int) string {
	var out []string
	for i := range n {
		action := fmt.Sprintf(`"codecommit:Action%dA", "codecommit:Action%dB"`, offset+i, offset+i)
		switch i % 10 {
		case 3:
			action = `"codecommit:Git*"`
		case 7:
			action = `"codecommit:GitPush", "codecommit:GitPull"`
		}
		out = append(out, fmt.Sprintf(`{"Effect": "Allow", "Action": [%s],
			"Resource": ["arn:aws:codecommit:*:111122223333:team%d-*", "arn:aws:codecommit:us-east-1:111122223333:${aws:username}-%d"],
			"Condition": {"StringLikeIfExists": {"codecommit:References": ["refs/heads/feature/*", "refs/heads/${aws:username}/*"]}}}`,
			action, offset+i, i))
	}
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(out, ",\n") + `]}`
}

// A large principal: 10 policies of 20 statements, none of which covers the request.
func BenchmarkDecideLargePrincipal(b *testing.B) {
	s := &policy.Situation{}
	for i := range 10 {
		src := policy.Source{Name: fmt.Sprint("policy", i)}
		s.Identity = append(s.Identity, mustParse(b, src, policy.Identity, statements(20, 20*i)))
	}
	r := fullRequest("refs/heads/feature")
	b.ReportAllocs()
	for b.Loop() {
		s.Decide(r)
	}
}

// The statements of one principal grow, those that can match do not: in policies of
// at most 100 statements one names the action that is asked for.
func BenchmarkDecideStatements(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := &policy.Situation{}
			for from := 0; from < n; from += 100 {
				doc := strings.ReplaceAll(statements(min(n, 100), from), "Git*", "GitStar")
				s.Identity = append(s.Identity, mustParse(b, policy.Source{Name: "large"}, policy.Identity, doc))
			}
			r := fullRequest("refs/heads/feature")
			r.Action = "codecommit:Action5A"
			b.ReportAllocs()
			for b.Loop() {
				s.Decide(r)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	doc := []byte(juniors)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.Parse(policy.Source{}, policy.Identity, doc); err != nil {
			b.Fatal(err)
		}
	}
}
