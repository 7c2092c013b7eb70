package iam

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/refward/refward/policy"
	"github.com/refward/refward/policy/catalog"
)

// simulation asks the policy engine what it would say of requests that nobody made.
// Nothing is added to what the caller gives: no key of the connection, no tag.
type simulation struct {
	actions, resources []string
	given              policy.Situation // the documents of the request
	context            policy.Context   // the values that were given
	named              policy.Context   // the keys that were given, also those without a value
	contextSize        int
	listing            listing
	done               int // actions, on the pages before
}

// results simulates the actions of one page by the given policies beside those that are
// attached, and returns the marker of the next page. A boundary that is given takes the
// place of the one that is set.
func (m *simulation) results(ctx context.Context, s *Service, attached *policy.Situation) ([]types.EvaluationResult, *string, error) {
	sit := policy.Situation{
		Identity: slices.Concat(attached.Identity, m.given.Identity),
		Boundary: attached.Boundary, Session: attached.Session, SCPs: attached.SCPs,
	}
	if m.given.Boundary != nil {
		sit.Boundary = m.given.Boundary
	}
	policies := slices.Concat(sit.Identity, sit.Boundary)
	if m.work(policies) > maxSimulationWork {
		return nil, nil, m.tooLarge()
	}
	missing := m.missing(policies)
	entries := m.entries(policies, missing)
	if entries > maxSimulationEntries {
		return nil, nil, m.tooLarge()
	}
	end := min(m.done+m.listing.items, m.done+maxSimulationEntries/max(1, entries), len(m.actions))
	results := []types.EvaluationResult{}
	for _, action := range m.actions[m.done:end] {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		results = append(results, m.result(&sit, action, missing))
	}
	if end == len(m.actions) {
		return results, nil, nil
	}
	return results, new(s.Keeper.Token(m.listing.purpose, strconv.Itoa(end))), nil
}

// work is what the whole simulation can cost; see [maxSimulationWork].
func (m *simulation) work(policies []*policy.Policy) int {
	size, work := 0, 0
	for _, p := range policies {
		size += policySize(p.Text())
	}
	for _, a := range m.actions {
		for _, r := range m.resources {
			work += size * (len(a) + len(r) + m.contextSize)
		}
	}
	return work
}

// entries is how many statements and missing keys the result of one action can list.
func (m *simulation) entries(policies []*policy.Policy, missing []string) int {
	n := len(missing)
	for _, p := range policies {
		n += len(p.Document().Statements)
	}
	return n * (1 + len(m.resources))
}

func (m *simulation) tooLarge() error {
	return errInvalidInput.New("The simulation is too large: ask about fewer than %d actions and %d resources at a time.",
		len(m.actions), len(m.resources))
}

// missing returns the names of the condition keys that the policies look at and that
// were not given.
func (m *simulation) missing(policies []*policy.Policy) []string {
	return slices.DeleteFunc(policy.ContextKeys(policies...), func(key string) bool { return m.named.Values(key) != nil })
}

// decided is what one action on one resource comes to.
type decided struct {
	outcome policy.Outcome
	line    string // why, as a refusal of the very request says it
	by      []policy.Match
	within  bool // of the boundary, if there is one
}

// decide asks the engine, as package authz does.
func (m *simulation) decide(sit *policy.Situation, action, resource string) decided {
	req := &policy.Request{Action: action, Resource: resource, Context: m.context}
	e := sit.Explain(req)
	d := decided{outcome: e.Outcome(), line: e.Line(), by: e.Deciding()}
	if sit.Boundary != nil {
		d.within = (&policy.Situation{Identity: sit.Boundary}).Decide(req) == policy.Allow
	}
	return d
}

// result is one action on every resource. What it says of all of them together is the
// decision that denies most, why the first that is decided so is, and the statements
// that made it of any.
func (m *simulation) result(sit *policy.Situation, action string, missing []string) types.EvaluationResult {
	all := make([]decided, len(m.resources))
	total := decided{within: true}
	for i, resource := range m.resources {
		d := m.decide(sit, action, resource)
		all[i] = d
		total.within = total.within && d.within
		if i == 0 || severity(d.outcome) > severity(total.outcome) {
			total.outcome, total.line, total.by = d.outcome, d.line, nil
		}
		if d.outcome == total.outcome {
			for _, by := range d.by {
				if !slices.Contains(total.by, by) {
					total.by = append(total.by, by)
				}
			}
		}
	}
	r := types.EvaluationResult{
		EvalActionName:                    &action,
		EvalResourceName:                  new(resourceForm(action)),
		EvalDecision:                      decision(total.outcome),
		MatchedStatements:                 each(total.by, shownMatch),
		MissingContextValues:              missing,
		EvalDecisionDetails:               details(total),
		PermissionsBoundaryDecisionDetail: boundaryDetail(sit, total),
	}
	if slices.Equal(m.resources, []string{"*"}) {
		return r
	}
	for i, d := range all {
		r.ResourceSpecificResults = append(r.ResourceSpecificResults, types.ResourceSpecificResult{
			EvalResourceName:                  &m.resources[i],
			EvalResourceDecision:              decision(d.outcome),
			MatchedStatements:                 each(d.by, shownMatch),
			MissingContextValues:              missing,
			EvalDecisionDetails:               details(d),
			PermissionsBoundaryDecisionDetail: boundaryDetail(sit, d),
		})
	}
	return r
}

// severity orders outcomes by how much they deny.
func severity(o policy.Outcome) int {
	return slices.Index([]policy.Outcome{policy.Allow, policy.ImplicitDeny, policy.ExplicitDeny}, o)
}

func decision(o policy.Outcome) types.PolicyEvaluationDecisionType {
	switch o {
	case policy.Allow:
		return types.PolicyEvaluationDecisionTypeAllowed
	case policy.ExplicitDeny:
		return types.PolicyEvaluationDecisionTypeExplicitDeny
	default:
		return types.PolicyEvaluationDecisionTypeImplicitDeny
	}
}

// details says why. AWS has the member sum up how each kind of policy contributes, and
// leaves it empty within an account: here it has one entry, the line that a denied push
// or call shows.
func details(d decided) map[string]types.PolicyEvaluationDecisionType {
	return map[string]types.PolicyEvaluationDecisionType{d.line: decision(d.outcome)}
}

func boundaryDetail(sit *policy.Situation, d decided) *types.PermissionsBoundaryDecisionDetail {
	if sit.Boundary == nil {
		return nil
	}
	return &types.PermissionsBoundaryDecisionDetail{AllowedByPermissionsBoundary: d.within}
}

// shownMatch names a statement as explanations do: its policy and whose it is, and where
// in the document it stands.
func shownMatch(m policy.Match) types.Statement {
	src := m.Policy.Source()
	s := types.Statement{SourcePolicyId: &src.Name, SourcePolicyType: types.PolicySourceTypeNone}
	switch {
	case strings.HasPrefix(src.Owner, ownerUser):
		s.SourcePolicyType = types.PolicySourceTypeUser
	case strings.HasPrefix(src.Owner, ownerGroup):
		s.SourcePolicyType = types.PolicySourceTypeGroup
	}
	if src.Owner != "" {
		s.SourcePolicyId = new(src.Name + " of " + src.Owner)
	}
	statement := &m.Policy.Document().Statements[m.Statement-1]
	s.StartPosition, s.EndPosition = shownPosition(statement.Start), shownPosition(statement.End)
	return s
}

func shownPosition(p policy.Position) *types.Position {
	return &types.Position{Line: int32(p.Line), Column: int32(p.Column)}
}

// resourceForm is the form of the ARN of the action's type of resource, or "*" where
// there is no such type or more than one.
func resourceForm(action string) string {
	a, _ := catalog.Lookup(action)
	if len(a.Resources) == 1 {
		for _, t := range catalog.ResourceTypes(a.Service()) {
			if t.Name == a.Resources[0] {
				return t.ARN
			}
		}
	}
	return "*"
}
