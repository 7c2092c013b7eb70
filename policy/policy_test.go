package policy_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/refward/refward/policy"
)

const juniors = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Work",
      "Effect": "Allow",
      "Action": ["codecommit:GitPull", "codecommit:GitPush", "codecommit:CreateBranch", "codecommit:CreatePullRequest", "codecommit:Get*", "codecommit:List*"],
      "Resource": "arn:aws:codecommit:us-east-1:111122223333:payments"
    },
    {
      "Sid": "DenyMaster",
      "Effect": "Deny",
      "Action": [
        "codecommit:GitPush", "codecommit:DeleteBranch", "codecommit:PutFile",
        "codecommit:MergeBranchesByFastForward", "codecommit:MergeBranchesBySquash", "codecommit:MergeBranchesByThreeWay",
        "codecommit:MergePullRequestByFastForward", "codecommit:MergePullRequestBySquash", "codecommit:MergePullRequestByThreeWay"
      ],
      "Resource": "arn:aws:codecommit:us-east-1:111122223333:payments",
      "Condition": {
        "StringEqualsIfExists": {"codecommit:References": ["refs/heads/master"]},
        "Null": {"codecommit:References": false}
      }
    }
  ]
}`

func mustParse(tb testing.TB, src policy.Source, kind policy.Kind, doc string) *policy.Policy {
	tb.Helper()
	p, err := policy.Parse(src, kind, []byte(doc))
	if err != nil {
		tb.Fatalf("Parse(%s): %v", src.Name, err)
	}
	return p
}

func story(tb testing.TB) *policy.Situation {
	src := policy.Source{Name: "DenyChangesToMaster", Owner: "group Juniors"}
	return &policy.Situation{Identity: []*policy.Policy{mustParse(tb, src, policy.Identity, juniors)}}
}

func push(ref string) *policy.Request {
	r := &policy.Request{Action: "codecommit:GitPush", Resource: "arn:aws:codecommit:us-east-1:111122223333:payments"}
	if ref != "" {
		r.Context.Set("codecommit:References", ref)
	}
	return r
}

func TestStory(t *testing.T) {
	s := story(t)
	for _, tc := range []struct {
		ref  string
		want policy.Outcome
		line string
	}{
		{"", policy.Allow, `allow: policy DenyChangesToMaster of group Juniors, statement 1 "Work"`},
		{"refs/heads/feature", policy.Allow, `allow: policy DenyChangesToMaster of group Juniors, statement 1 "Work"`},
		{"refs/heads/master", policy.ExplicitDeny, `explicit deny: policy DenyChangesToMaster of group Juniors, statement 2 "DenyMaster"`},
	} {
		e := s.Explain(push(tc.ref))
		if got := s.Decide(push(tc.ref)); got != tc.want || e.Outcome() != tc.want {
			t.Errorf("push to %q: decided %v, explained %v, want %v", tc.ref, got, e.Outcome(), tc.want)
		}
		if got := e.Line(); got != tc.line {
			t.Errorf("push to %q: line\n got %s\nwant %s", tc.ref, got, tc.line)
		}
	}
	del := push("")
	del.Action = "codecommit:DeleteRepository"
	want := "implicit deny: no identity-based policy allows codecommit:DeleteRepository; no Allow statement names the action"
	if got := s.Explain(del).Line(); got != want {
		t.Errorf("line\n got %s\nwant %s", got, want)
	}
}

func TestDecideAllocatesNothing(t *testing.T) {
	s := story(t)
	for _, ref := range storyRefs {
		r := fullRequest(ref.ref)
		if n := testing.AllocsPerRun(100, func() { s.Decide(r) }); n != 0 {
			t.Errorf("%s: %v allocations", ref.name, n)
		}
		if n := testing.AllocsPerRun(100, func() { e := s.Explain(r); _, _ = e.Line(), e.Digests() }); n > 2 {
			t.Errorf("%s: %v allocations for an explanation, its line and its digests", ref.name, n)
		}
	}
}

func TestNobody(t *testing.T) {
	var s *policy.Situation
	if got := s.Decide(push("")); got != policy.ImplicitDeny {
		t.Errorf("a nil situation decides %v", got)
	}
	if e := s.Explain(push("")); e.Outcome() != policy.ImplicitDeny || len(e.Digests()) != 0 || e.Line() == "" {
		t.Errorf("a nil situation explains %v: %s", e.Outcome(), e.Line())
	}
	e := policy.Unconditional("root")
	if e.Outcome() != policy.Allow || e.Line() != "allow: root" || len(e.Digests()) != 0 {
		t.Errorf("unconditional: %v, %s, %v", e.Outcome(), e.Line(), e.Digests())
	}
}

// The list of digests is made once, by whoever asks first.
func TestDigestsTogether(t *testing.T) {
	s := story(t)
	s.Boundary = []*policy.Policy{mustParse(t, policy.Source{Name: "limit"}, policy.Boundary, juniors+" ")}
	s.Session = s.Identity
	want := []string{s.Identity[0].Digest(), s.Boundary[0].Digest()}
	slices.Sort(want)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			e := s.Explain(push("refs/heads/master"))
			if got := e.Digests(); !slices.Equal(got, want) || cap(got) != len(got) {
				t.Errorf("digests %q with room for %d, want %q", got, cap(got), want)
			}
		})
	}
	all.Wait()

	other := mustParse(t, policy.Source{Name: "resource"}, policy.Resource,
		`{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "codecommit:*", "Resource": "*"}}`)
	if got := s.ExplainFor(policy.Caller{}, other, push("")).Digests(); len(got) != 3 {
		t.Errorf("with a resource policy: %q, want three", got)
	}
	if got := s.Explain(push("")).Digests(); !slices.Equal(got, want) {
		t.Errorf("digests %q afterwards, want %q", got, want)
	}
}
