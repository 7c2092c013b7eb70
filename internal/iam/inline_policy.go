package iam

import (
	"context"
	"errors"
	"fmt"
	"unicode"

	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/policy"
)

// policyOwner is the user or group that a policy is embedded in.
type policyOwner struct {
	kind string // "user" or "group"
	id   string
	name string
	most int // characters but white space of all its inline policies together
}

// parseable refuses a document that is not a policy.
func parseable(name, document string) error {
	_, err := policy.Parse(policy.Source{Name: name}, policy.Identity, []byte(document))
	return malformed(errMalformedPolicyDocument, "", err)
}

// malformed is the fault for an error of [policy.Parse], or nil: with AWS's sentence
// first, which clients compare, and then with what is wrong and where, for people. The
// document's name is said if it has one.
func malformed(code fault.Code, document string, err error) error {
	syntax, ok := errors.AsType[*policy.SyntaxError](err)
	if !ok {
		return err
	}
	where := fmt.Sprintf("line %d, column %d", syntax.Line, syntax.Column)
	if document != "" {
		where = document + ", " + where
	}
	if syntax.Detail != "" {
		where += ": " + syntax.Detail
	}
	return code.Wrap(err, "%s (%s)", syntax.Message, where)
}

// embed puts the policy, unless all policies of the owner together would be too long.
func (s *Service) embed(ctx context.Context, tx Tx, owner policyOwner, p InlinePolicy) error {
	if err := tx.PutInlinePolicy(ctx, s.Account, owner.id, p); err != nil {
		return err
	}
	all, err := tx.InlinePolicies(ctx, s.Account, owner.id, Page{Limit: maxInlinePolicyCount + 1})
	if err != nil {
		return err
	}
	size := 0
	for _, p := range all {
		size += policySize(p.Document)
	}
	if size > owner.most {
		return errLimitExceeded.New("Maximum policy size of %d bytes exceeded for %s %s", owner.most, owner.kind, owner.name)
	}
	return nil
}

// policySize is the size that quotas count: white space is free.
func policySize(document string) int {
	n := 0
	for _, r := range document {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

func policyName(p InlinePolicy) string { return p.Name }

// noSuchPolicy turns a row that is not there into the service's fault.
func noSuchPolicy(err error, kind, name string) error {
	if errors.Is(err, ErrNotFound) {
		return errNoSuchEntity.New("The %s policy with name %s cannot be found.", kind, name)
	}
	return err
}
