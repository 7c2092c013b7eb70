// Package authz decides whether a caller may do something, and keeps the log of
// what was decided.
//
// An operation states its [Check]s; [Authorizer.Authorize] gathers every policy
// that applies to the caller, lets package policy decide, appends the decision to
// the [Log] and answers with a [Grant], the proof that writers ask for. There is
// no other way to make a Grant, and no decision about permission anywhere else.
//
// It does not know services, refs or protocols: those are condition keys and
// resources to it.
package authz

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/policy"
)

// Source gives the policies that apply to a principal. It is strictly
// consistent: a policy that was attached before the call is in the answer, one
// that was detached is not. Safe for concurrent use.
type Source interface {
	// Situation returns the principal's policies and tags, read in one snapshot.
	// A principal that no longer exists is an error of code InvalidClientTokenId.
	// It is not asked about root.
	Situation(ctx context.Context, p Principal) (Situation, error)
}

// Situation is what applies to one principal.
type Situation struct {
	Policies *policy.Situation
	Tags     map[string]string // aws:PrincipalTag/KEY
}

// Authorizer makes decisions. Its fields are set once, before use; it is safe
// for concurrent use.
type Authorizer struct {
	Source Source
	Log    Log
	Now    func() time.Time
}

var errNoChecks = errors.New("authz: no checks: an operation must state what it needs")

// Authorize asks for all checks and refuses with the first denial as a fault of
// code AccessDenied, which carries its [Denial] for errors.AsType. Every check is
// decided and logged, also after a denial. An empty list of checks is an error: an
// operation that forgot to ask gets nothing.
func (a *Authorizer) Authorize(ctx context.Context, c Caller, checks ...Check) (Grant, error) {
	g, err := a.AuthorizeEach(ctx, c, checks...)
	if err != nil {
		return Grant{}, err
	}
	if f := g.fault(); f != nil {
		return Grant{}, f
	}
	return g, nil
}

// AuthorizeEach decides every check by itself; the Grant covers those that were
// allowed and tells why the others were not. It fails only when no decision could
// be made or logged. The list of checks is copied; what a check's Values refer to
// must not be changed any more.
func (a *Authorizer) AuthorizeEach(ctx context.Context, c Caller, checks ...Check) (Grant, error) {
	if len(checks) == 0 {
		return Grant{}, errNoChecks
	}
	checks = slices.Clone(checks) // a Grant proves what was decided, whatever becomes of the caller's list
	sit, err := a.situation(ctx, c.Principal)
	if err != nil {
		return Grant{}, fmt.Errorf("gather policies: %w", err)
	}
	now := a.Now()
	g := Grant{caller: c, checks: checks, refused: make([]*Denial, len(checks))}
	entries := make([]Entry, len(checks))
	for i, check := range checks {
		req := request(c, sit.Tags, check, now)
		exp := decide(c, sit.Policies, req)
		if exp.Outcome() != policy.Allow {
			g.refused[i] = &Denial{Caller: c, Check: check, Explanation: exp}
		}
		entries[i] = entry(c, check, req, exp, now)
	}
	if err := a.Log.Append(ctx, entries...); err != nil {
		return Grant{}, fmt.Errorf("append to the decision log: %w", err)
	}
	g.index()
	return g, nil
}

// Always is a Grant for what IAM lets every identified caller do whatever its
// policies say, such as sts:GetCallerIdentity. It is decided and logged like any
// other check, but only the limits of temporary credentials count: what those exclude
// is refused as by Authorize.
func (a *Authorizer) Always(ctx context.Context, c Caller, check Check) (Grant, error) {
	if c.Principal.Kind == Nobody {
		return Grant{}, fault.MissingAuthenticationToken.New("Request is missing Authentication Token")
	}
	now := a.Now()
	g := Grant{caller: c, checks: []Check{check}, refused: make([]*Denial, 1)}
	req := request(c, nil, check, now)
	exp := policy.Unconditional("the service lets every caller do this")
	if c.Principal.Session.Temporary() {
		if limits := sessionOfRoot.Explain(req); limits.Outcome() != policy.Allow {
			exp, g.refused[0] = limits, &Denial{Caller: c, Check: check, Explanation: limits}
		}
	}
	if err := a.Log.Append(ctx, entry(c, check, req, exp, now)); err != nil {
		return Grant{}, fmt.Errorf("append to the decision log: %w", err)
	}
	if f := g.fault(); f != nil {
		return Grant{}, f
	}
	return g, nil
}

// decide evaluates one request. Root needs no policy (IAM's evaluation logic,
// step 0) unless its credentials are temporary; a caller without a situation is
// allowed nothing.
func decide(c Caller, s *policy.Situation, req *policy.Request) *policy.Explanation {
	if c.Principal.Kind == Root && !c.Principal.Session.Temporary() {
		return policy.Unconditional("the account's root user is not bound by identity policies")
	}
	return s.Explain(req)
}
