package authz_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refward/refward/arn"
	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/policy"
)

// anything is a user with a policy that allows everything and one that speaks of sessions.
func anything(t testing.TB, more string) authz.Situation {
	return authz.Situation{Policies: &policy.Situation{Identity: []*policy.Policy{
		parse(t, policy.Identity, "All", "user ada", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`),
		parse(t, policy.Identity, "More", "user ada", `{"Version": "2012-10-17", "Statement": `+more+`}`),
	}}}
}

// onSession is the same caller with temporary credentials.
func onSession(c authz.Caller, issued time.Time) authz.Caller {
	c.Principal.Session = authz.Session{Issued: issued}
	c.Credential = authz.Credential{Kind: "session", ID: "ASIAADA"}
	return c
}

// STS API reference, "GetSessionToken": no IAM operations without MFA, and of STS only
// AssumeRole and GetCallerIdentity; everything else is the holder's. Root's session is
// no exception.
func TestSessionLimits(t *testing.T) {
	user := arn.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "user/bob"}
	role := arn.ARN{Partition: "aws", Service: "iam", Account: account, Resource: "role/Deploy"}
	for _, tc := range []struct {
		check   authz.Check
		allowed bool
		reason  string
	}{
		{pushTo(payments, main), true, ""},
		{authz.Check{Action: "codecommit:ListRepositories"}, true, ""},
		{authz.Check{Action: "sts:AssumeRole", Resource: role}, true, ""},
		{authz.Check{Action: "sts:GetCallerIdentity"}, true, ""},
		{authz.Check{Action: "iam:GetUser", Resource: user}, false, "IAMWithMFA"},
		{authz.Check{Action: "iam:ListUsers"}, false, "IAMWithMFA"},
		{authz.Check{Action: "IAM:createaccesskey", Resource: user}, false, "IAMWithMFA"},
		{authz.Check{Action: "sts:GetSessionToken"}, false, "no Allow statement names the action"},
		{authz.Check{Action: "sts:GetFederationToken"}, false, ""},
		{authz.Check{Action: "sts:AssumeRoot"}, false, ""},
	} {
		for _, c := range []authz.Caller{ada(), root()} {
			a, log := host(t)
			a.Source = principals{"AIDAADA": anything(t, `{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}`)}
			if _, err := a.Authorize(t.Context(), c, tc.check); err != nil {
				t.Errorf("%s with a long-term credential, %s: %v", c.Principal.Kind, tc.check.Action, err)
			}
			c = onSession(c, noon)
			_, err := a.Authorize(t.Context(), c, tc.check)
			if (err == nil) != tc.allowed || err != nil && !fault.Has(err, fault.AccessDenied) {
				t.Errorf("%s's session, %s: got %v", c.Principal.Kind, tc.check.Action, err)
			}
			if err != nil && (!strings.Contains(err.Error(), "because no session policy allows the "+tc.check.Action+" action") || !strings.Contains(err.Error(), tc.reason)) {
				t.Errorf("%s's session, %s: the refusal says %v", c.Principal.Kind, tc.check.Action, err)
			}
			e := log.calls[1][0]
			if e.Credential != c.Credential || (e.Outcome == policy.Allow) != tc.allowed || len(e.Policies) == 0 {
				t.Errorf("%s's session, %s: logged %+v", c.Principal.Kind, tc.check.Action, e)
			}
		}
	}
}

// What the holder may not do, a session may not either; nor one whose holder is gone.
func TestSessionAddsNothing(t *testing.T) {
	a, _ := host(t)
	c := onSession(ada(), noon)
	if _, err := a.Authorize(t.Context(), c, pushTo(payments, topic)); err != nil {
		t.Errorf("what the junior may do: %v", err)
	}
	for name, check := range map[string]authz.Check{"denied": pushTo(payments, main), "not allowed": pushTo(website, topic)} {
		if _, err := a.Authorize(t.Context(), c, check); !fault.Has(err, fault.AccessDenied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, source := range map[string]principals{"gone": {}, "without a situation": {"AIDAADA": {}}} {
		a.Source = source
		if _, err := a.Authorize(t.Context(), c, pushTo(payments, topic)); err == nil {
			t.Errorf("a principal that is %s is allowed", name)
		}
	}
}

// The limits are put beside the policies of each request, not into what the source
// shares among requests.
func TestLimitsDoNotStay(t *testing.T) {
	a, _ := host(t)
	sit := anything(t, `{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}`)
	a.Source = principals{"AIDAADA": sit}
	if _, err := a.Authorize(t.Context(), onSession(ada(), noon), authz.Check{Action: "iam:ListUsers"}); !fault.Has(err, fault.AccessDenied) {
		t.Fatalf("a session lists users: %v", err)
	}
	if _, err := a.Authorize(t.Context(), ada(), authz.Check{Action: "iam:ListUsers"}); err != nil || sit.Policies.Session != nil {
		t.Errorf("after a session, the user itself: %v", err)
	}
}

// A condition sees when the credentials were issued, and that no second factor was
// given; for long-term ones both keys are absent (IAM User Guide, "AWS global condition
// context keys").
func TestSessionKeys(t *testing.T) {
	check := pushTo(payments, topic)
	for name, tc := range map[string]struct {
		deny              string // the condition of a Deny
		session, longTerm bool   // allowed
	}{
		"issued before":                {`"DateLessThan": {"aws:TokenIssueTime": "2026-01-15T11:00:01Z"}`, false, true},
		"issued since":                 {`"DateLessThan": {"aws:TokenIssueTime": "2026-01-15T11:00:00Z"}`, true, true},
		"only temporary credentials":   {`"Null": {"aws:TokenIssueTime": "true"}`, true, false},
		"only long-term credentials":   {`"Null": {"aws:TokenIssueTime": "false"}`, false, true},
		"without MFA":                  {`"Bool": {"aws:MultiFactorAuthPresent": "false"}`, false, true},
		"without MFA, or MFA unknown":  {`"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}`, false, false},
		"with MFA":                     {`"Bool": {"aws:MultiFactorAuthPresent": "true"}`, true, true},
		"the age of MFA is not known":  {`"Null": {"aws:MultiFactorAuthAge": "false"}`, true, true},
		"the user's own name":          {`"StringNotEquals": {"aws:username": "ada"}`, true, true},
		"the user's own ID":            {`"StringNotEquals": {"aws:userid": "AIDAADA"}`, true, true},
		"the user's own ARN":           {`"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:user/dev/ada"}`, true, true},
		"a user still, and no session": {`"StringNotEquals": {"aws:PrincipalType": "User"}`, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			a, _ := host(t)
			a.Source = principals{"AIDAADA": anything(t, `{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {`+tc.deny+`}}`)}
			if _, err := a.Authorize(t.Context(), onSession(ada(), noon.Truncate(time.Second)), check); (err == nil) != tc.session {
				t.Errorf("a session: %v", err)
			}
			if _, err := a.Authorize(t.Context(), ada(), check); (err == nil) != tc.longTerm {
				t.Errorf("a long-term credential: %v", err)
			}
		})
	}
}

// What the service lets every caller do, a session may do as far as its limits go.
func TestAlwaysOnASession(t *testing.T) {
	for _, c := range []authz.Caller{onSession(ada(), noon), onSession(root(), noon)} {
		a, log := host(t)
		a.Source = nil // policies do not count
		if _, err := a.Always(t.Context(), c, authz.Check{Action: "sts:GetCallerIdentity"}); err != nil {
			t.Errorf("%s: %v", c.Principal.Kind, err)
		}
		g, err := a.Always(t.Context(), c, authz.Check{Action: "sts:GetSessionToken", Way: "Use the access key"})
		if !fault.Has(err, fault.AccessDenied) || !strings.HasSuffix(err.Error(), ". Use the access key") {
			t.Errorf("%s: got %v, want AccessDenied and the way", c.Principal.Kind, err)
		}
		coversNothing(t, g, []authz.Check{{Action: "sts:GetSessionToken"}})
		var got []policy.Outcome
		for _, call := range log.calls {
			got = append(got, call[0].Outcome)
		}
		if !slices.Equal(got, []policy.Outcome{policy.Allow, policy.ImplicitDeny}) {
			t.Errorf("%s: logged %v", c.Principal.Kind, got)
		}
	}
}
