package iam_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refward/refward/internal/authn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/iam"
	"github.com/refward/refward/policy"
)

const repository = "arn:aws:codecommit:us-east-1:" + account + ":app"

// juniors is the documented policy that keeps junior developers off a branch.
const juniors = `{"Version":"2012-10-17","Statement":[{"Sid":"KeepMaster","Effect":"Deny",
	"Action":["codecommit:GitPush","codecommit:DeleteBranch","codecommit:PutFile","codecommit:MergeBranchesBy*","codecommit:MergePullRequestBy*"],
	"Resource":"` + repository + `",
	"Condition":{"StringEqualsIfExists":{"codecommit:References":["refs/heads/master"]},"Null":{"codecommit:References":"false"}}}]}`

func push(ref string) *policy.Request {
	r := &policy.Request{Action: "codecommit:GitPush", Resource: repository}
	if ref != "" {
		r.Context.Set("codecommit:References", ref)
	}
	return r
}

func TestJuniors(t *testing.T) {
	h := newHost(t)
	bob := user(t, h, "bob")
	g, u := aws.String("Juniors"), aws.String("bob")
	decide := func(ref string) *policy.Explanation {
		t.Helper()
		sit, err := h.service.Situation(t.Context(), bob.Principal)
		if err != nil {
			t.Fatal(err)
		}
		return sit.Policies.Explain(push(ref))
	}
	want := func(step, ref string, outcome policy.Outcome) {
		t.Helper()
		if got := decide(ref); got.Outcome() != outcome {
			t.Errorf("%s: a push to %q is %v, want %v", step, ref, got.Outcome(), outcome)
		}
	}
	setUp(t, h, &api.CreateGroupInput{GroupName: g},
		&api.PutGroupPolicyInput{GroupName: g, PolicyName: aws.String("DenyChangesToMaster"), PolicyDocument: aws.String(juniors)})
	want("no policy", "", policy.ImplicitDeny)
	setUp(t, h, &api.PutUserPolicyInput{UserName: u, PolicyName: aws.String("Developer"), PolicyDocument: aws.String(allow(`"codecommit:*"`, `"*"`))})
	want("outside the group", "refs/heads/master", policy.Allow)
	setUp(t, h, &api.AddUserToGroupInput{GroupName: g, UserName: u})
	want("in the group", "", policy.Allow)
	want("in the group", "refs/heads/feature", policy.Allow)
	want("in the group", "refs/heads/master", policy.ExplicitDeny)
	if line := decide("refs/heads/master").Line(); !strings.Contains(line, "DenyChangesToMaster") || !strings.Contains(line, "Juniors") || !strings.Contains(line, "KeepMaster") {
		t.Errorf("the reason names neither policy, group nor statement: %s", line)
	}
	setUp(t, h, &api.UpdateGroupInput{GroupName: g, NewGroupName: aws.String("Learners")})
	if line := decide("refs/heads/master").Line(); !strings.Contains(line, "Learners") {
		t.Errorf("the reason names the group as it was: %s", line)
	}
	setUp(t, h, &api.PutGroupPolicyInput{GroupName: aws.String("Learners"), PolicyName: aws.String("DenyChangesToMaster"),
		PolicyDocument: aws.String(strings.ReplaceAll(juniors, "heads/master", "heads/main"))})
	want("with another branch", "refs/heads/master", policy.Allow)
	want("with another branch", "refs/heads/main", policy.ExplicitDeny)
	setUp(t, h, &api.RemoveUserFromGroupInput{GroupName: aws.String("Learners"), UserName: u})
	want("out of the group", "refs/heads/main", policy.Allow)
	setUp(t, h, &api.DeleteUserPolicyInput{UserName: u, PolicyName: aws.String("Developer")})
	want("without a policy", "refs/heads/feature", policy.ImplicitDeny)
}

// Whatever is changed, the next situation is the one that a service without memory
// would read.
func TestEveryChangeShowsAtOnce(t *testing.T) {
	h := newHost(t)
	names := []string{"a", "b"}
	groups := []string{"g", "h"}
	callers := map[string]authz.Caller{}
	for i, name := range names {
		callers[name] = user(t, h, name)
		setUp(t, h, &api.CreateGroupInput{GroupName: &groups[i]})
	}
	documents := []string{anyPolicy, allow(`"codecommit:GitPush"`, `"*"`), juniors, allow(`"codecommit:Git*"`, `"`+repository+`"`),
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"codecommit:*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"x"}}}}`}
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			u, g := rapid.SampledFrom(names).Draw(rt, "user"), rapid.SampledFrom(groups).Draw(rt, "group")
			p, d := rapid.SampledFrom([]string{"p", "q"}).Draw(rt, "policy"), rapid.SampledFrom(documents).Draw(rt, "document")
			in := rapid.SampledFrom([]any{
				&api.PutUserPolicyInput{UserName: &u, PolicyName: &p, PolicyDocument: &d},
				&api.DeleteUserPolicyInput{UserName: &u, PolicyName: &p},
				&api.PutGroupPolicyInput{GroupName: &g, PolicyName: &p, PolicyDocument: &d},
				&api.DeleteGroupPolicyInput{GroupName: &g, PolicyName: &p},
				&api.AddUserToGroupInput{UserName: &u, GroupName: &g},
				&api.RemoveUserFromGroupInput{UserName: &u, GroupName: &g},
				&api.TagUserInput{UserName: &u, Tags: []types.Tag{{Key: aws.String("team"), Value: &p}}},
				&api.UntagUserInput{UserName: &u, TagKeys: []string{"Team"}},
			}).Draw(rt, "change")
			if _, err := invoke(t, h, h.root(), in); err != nil && !strings.HasPrefix(err.Error(), "NoSuchEntity") {
				rt.Fatal(err)
			}
			fresh := newService(h.service.Store, h.service.Keeper, h.log)
			for name, c := range callers {
				if d := cmp.Diff(seen(rt, fresh, c.Principal), seen(rt, h.service, c.Principal)); d != "" {
					rt.Errorf("after %s what applies to %s (-stored +remembered):\n%s", operationOf(in), name, d)
				}
			}
		}
	})
}

// seen is what one can tell of a situation from outside.
func seen(t *rapid.T, s *iam.Service, p authz.Principal) []string {
	t.Helper()
	sit, err := s.Situation(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{fmt.Sprint(sit.Tags)}
	for _, ref := range []string{"", "refs/heads/master", "refs/heads/x"} {
		e := sit.Policies.Explain(push(ref))
		all = append(all, fmt.Sprint(e.Outcome(), e.Line(), e.Digests()))
	}
	return all
}

// A policy that was attached before a request holds for it, also while many ask.
func TestSituationUnderRace(t *testing.T) {
	h := newHost(t)
	bob := user(t, h, "bob")
	put := func(action string) {
		setUp(t, h, &api.PutUserPolicyInput{UserName: aws.String("bob"), PolicyName: aws.String("p"), PolicyDocument: aws.String(allow(action, `"*"`))})
	}
	put(`"codecommit:GitPull"`)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if _, err := h.service.Situation(t.Context(), bob.Principal); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	for i := range 30 {
		put([]string{`"codecommit:GitPush"`, `"codecommit:GitPull"`}[i%2])
		sit, err := h.service.Situation(t.Context(), bob.Principal)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := sit.Policies.Decide(push("")) == policy.Allow, i%2 == 0; got != want {
			t.Errorf("after change %d a push is allowed: %t, want %t", i, got, want)
		}
	}
	close(stop)
	wg.Wait()
}

func TestSituationOfNobody(t *testing.T) {
	h := newHost(t)
	bob := user(t, h, "bob")
	gone := bob.Principal
	gone.UserID = "AIDAGONE"
	for name, p := range map[string]authz.Principal{
		"a deleted user":    gone,
		"root":              h.root().Principal,
		"nobody":            {},
		"another account's": {Kind: authz.User, Account: "444455556666", UserID: bob.Principal.UserID},
	} {
		if _, err := h.service.Situation(t.Context(), p); !fault.Has(err, fault.InvalidClientTokenID) {
			t.Errorf("%s: %v, want InvalidClientTokenId", name, err)
		}
	}
}

// A stored document that cannot be parsed must not silently count as none: it may deny.
func TestUnreadablePolicyIsAFailure(t *testing.T) {
	h := newHost(t)
	bob := user(t, h, "bob")
	err := h.service.Store.Update(t.Context(), account, func(ctx context.Context, tx iam.Tx) error {
		return tx.PutInlinePolicy(ctx, account, bob.Principal.UserID, iam.InlinePolicy{Name: "p", Document: "{"})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.service.Situation(t.Context(), bob.Principal); err == nil || strings.HasPrefix(err.Error(), "MalformedPolicyDocument") {
		t.Errorf("got %v, want a failure", err)
	}
}

func BenchmarkSituation(b *testing.B) {
	h := newHost(b)
	bob := user(b, h, "bob")
	setUp(b, h, &api.CreateGroupInput{GroupName: aws.String("g")}, &api.AddUserToGroupInput{GroupName: aws.String("g"), UserName: aws.String("bob")},
		&api.PutGroupPolicyInput{GroupName: aws.String("g"), PolicyName: aws.String("p"), PolicyDocument: aws.String(juniors)})
	ask := func(b *testing.B) {
		if _, err := h.service.Situation(b.Context(), bob.Principal); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("cached", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ask(b)
		}
	})
	b.Run("after a change", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			setUp(b, h, &api.TagUserInput{UserName: aws.String("bob"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
			b.StartTimer()
			ask(b)
		}
	})
}

func BenchmarkGitPassword(b *testing.B) {
	h := newHost(b)
	setUp(b, h, &api.CreateUserInput{UserName: aws.String("bob")})
	c := run[api.CreateServiceSpecificCredentialOutput](b, h, h.root(), &api.CreateServiceSpecificCredentialInput{UserName: aws.String("bob"), ServiceName: aws.String(gitService)}).ServiceSpecificCredential
	for name, userName := range map[string]string{"known": *c.ServiceUserName, "unknown": "nobody-at-" + account} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.service.GitPassword(b.Context(), userName, *c.ServicePassword); err != nil && name == "known" {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSigningKey(b *testing.B) {
	h := newHost(b)
	bob := user(b, h, "bob")
	var source authn.Source = h.service
	b.ReportAllocs()
	for b.Loop() {
		if _, err := source.SigningKey(b.Context(), bob.Credential.ID); err != nil {
			b.Fatal(err)
		}
	}
}
