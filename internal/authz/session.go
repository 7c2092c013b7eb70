package authz

import (
	"context"
	"time"

	"github.com/refward/refward/policy"
)

// Session is what a principal's temporary credentials say of themselves. The zero value
// belongs to a long-term credential.
type Session struct {
	Issued time.Time // aws:TokenIssueTime
}

// Temporary reports whether there is a session at all.
func (s Session) Temporary() bool { return !s.Issued.IsZero() }

// What the credentials of GetSessionToken can be used for, whoever holds them (STS API
// reference, "GetSessionToken"): nothing of IAM unless a second factor was given, and of
// STS two operations. It is a policy like any other, so that the decision log and a
// refusal name it. It lists what is allowed: an operation that is new is refused.
const sessionLimits = `{"Version": "2012-10-17", "Statement": [
	{"Sid": "OtherServices", "Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"},
	{"Sid": "WhoAndRoles", "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:GetCallerIdentity"], "Resource": "*"},
	{"Sid": "IAMWithMFA", "Effect": "Allow", "Action": "iam:*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}]}`

// Root needs no policy, but a session of root is limited like any other.
const everything = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`

var (
	sessionPolicies = []*policy.Policy{mustParse(policy.Session, policy.Source{Name: "GetSessionToken"}, sessionLimits)}
	rootPolicies    = []*policy.Policy{mustParse(policy.Identity, policy.Source{Name: "Root", Owner: "the account"}, everything)}

	// sessionOfRoot is also what decides, for everybody's session, what the service
	// lets every caller do.
	sessionOfRoot = &policy.Situation{Identity: rootPolicies, Session: sessionPolicies}
)

func mustParse(kind policy.Kind, src policy.Source, document string) *policy.Policy {
	p, err := policy.Parse(src, kind, []byte(document))
	if err != nil {
		panic(err) // a constant of this file
	}
	return p
}

// situation gathers what applies to a principal. Root without a session is not asked
// about: nothing binds it.
func (a *Authorizer) situation(ctx context.Context, p Principal) (Situation, error) {
	switch {
	case p.Kind == Root && p.Session.Temporary():
		return Situation{Policies: sessionOfRoot}, nil
	case p.Kind == Root:
		return Situation{}, nil
	}
	sit, err := a.Source.Situation(ctx, p)
	if err == nil && p.Session.Temporary() && p.Kind == User {
		sit.Policies = limited(sit.Policies)
	}
	return sit, err
}

// limited returns the situation of a user's session. What it is made of is shared, and
// stays as it is.
func limited(s *policy.Situation) *policy.Situation {
	if s == nil {
		return nil // who has no situation is allowed nothing
	}
	return &policy.Situation{Identity: s.Identity, Boundary: s.Boundary, Session: sessionPolicies, SCPs: s.SCPs}
}
