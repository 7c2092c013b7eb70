// Package op is the one way in: everything that a caller can ask the host to do
// is an [Operation], and [Invoke] is the only way to run one.
//
// An operation states what must be allowed (Checks), package authz decides and
// logs, and Run acts with the Grant that came of it. The fields beside the two
// functions are the operation table: the server dispatches by it, and
// docs/operations.md is printed from it. What IAM itself says of an action (access
// level, resource types, condition keys) is not repeated here: it is in
// policy/catalog under the action's name.
package op

import (
	"context"
	"fmt"

	"github.com/refward/refward/internal/authz"
)

// RefEffect is a set of what an operation can do to a ref.
type RefEffect uint8

// The effects on refs.
const (
	CreatesRef RefEffect = 1 << iota
	FastForwardsRef
	ForcesRef
	DeletesRef
	MovesHead // changes which branch is the default
	DropsRefs // deletes or renames the repository that the policy names
)

// Spec is the table row of an operation.
type Spec struct {
	Service string // "codecommit", "iam", "sts": the prefix of its actions and its signing name
	Name    string // as the API spells it: "CreateBranch"; Git's own are "GitPull", "GitPush"

	// Actions are the IAM actions it is checked by; nil means the one named
	// Service:Name.
	Actions []string

	// Phase is which of the action's phases the checks are (policy/catalog); "" for an
	// action that is decided once.
	Phase string

	// Resource says where the resource of the checks comes from, in words for
	// docs/operations.md: "repositoryName".
	Resource string

	// Keys says, for each condition key that the checks carry, where its value
	// comes from.
	Keys map[string]string

	Refs     RefEffect // what it can do to refs
	Identity bool      // it can change who may do what

	// Always says why the service lets every identified caller run it whatever
	// the policies say; empty for all but a few. The limits of temporary credentials
	// hold nevertheless.
	Always string

	// EachCheck lets Run act on the checks that were allowed when others were
	// not, instead of refusing the whole: Git's push, which answers ref by ref.
	EachCheck bool
}

// IAMActions returns the actions that the operation is checked by.
func (s Spec) IAMActions() []string {
	if len(s.Actions) > 0 {
		return s.Actions
	}
	return []string{s.Service + ":" + s.Name}
}

// Operation is one thing a caller can ask the host to do. In and Out are the AWS
// SDK's own structs where the API has the operation.
type Operation[In, Out any] struct {
	Spec

	// Checks returns everything that must be allowed before Run: at least one
	// check. It may read, never write. It also refuses input that is malformed by
	// itself, with the service's fault.
	Checks func(ctx context.Context, c authz.Caller, in *In) ([]authz.Check, error)

	// Run does the work. It re-reads, in its own transaction, what Checks read.
	Run func(ctx context.Context, g authz.Grant, in *In) (*Out, error)
}

// Any is an operation of whatever input and output.
type Any interface {
	// Row returns the operation's row of the table.
	Row() Spec
	// NewInput returns a pointer to a zero input.
	NewInput() any
	// NewOutput returns a pointer to a zero output.
	NewOutput() any
	// InvokeAny is [Invoke] with an input made by NewInput.
	InvokeAny(ctx context.Context, a *authz.Authorizer, c authz.Caller, in any) (any, error)
}

// Row implements [Any].
func (o *Operation[In, Out]) Row() Spec { return o.Spec }

// NewInput implements [Any].
func (o *Operation[In, Out]) NewInput() any { return new(In) }

// NewOutput implements [Any].
func (o *Operation[In, Out]) NewOutput() any { return new(Out) }

// InvokeAny implements [Any].
func (o *Operation[In, Out]) InvokeAny(ctx context.Context, a *authz.Authorizer, c authz.Caller, in any) (any, error) {
	typed, ok := in.(*In)
	if !ok {
		return nil, fmt.Errorf("invoke %s:%s: input is a %T", o.Service, o.Name, in)
	}
	out, err := Invoke(ctx, a, c, o, typed)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Invoke asks and then runs. A refusal is a fault of code AccessDenied.
func Invoke[In, Out any](ctx context.Context, a *authz.Authorizer, c authz.Caller, o *Operation[In, Out], in *In) (*Out, error) {
	checks, err := o.Checks(ctx, c, in)
	if err != nil {
		return nil, err
	}
	g, err := grant(ctx, a, c, o.Spec, checks)
	if err != nil {
		return nil, err
	}
	return o.Run(ctx, g, in)
}

func grant(ctx context.Context, a *authz.Authorizer, c authz.Caller, s Spec, checks []authz.Check) (authz.Grant, error) {
	switch {
	case s.Always != "" && len(checks) == 1:
		return a.Always(ctx, c, checks[0])
	case s.EachCheck:
		return a.AuthorizeEach(ctx, c, checks...)
	default:
		return a.Authorize(ctx, c, checks...)
	}
}
