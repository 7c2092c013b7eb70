package codecommit

import (
	"context"
	"errors"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

var mergeBranchesByFastForwardSpec = op.Spec{
	Service:  "codecommit",
	Name:     "MergeBranchesByFastForward",
	Resource: "repositoryName",
	Keys:     map[string]string{ReferencesKey: "refs/heads/ and targetBranch; without it the branch that destinationCommitSpecifier names"},
	Refs:     op.FastForwardsRef,
}

// MergeBranchesByFastForward moves a branch forward to another commit. Approval rules
// and pull requests are not consulted, as in AWS; those that it merges are closed.
func (s *Service) MergeBranchesByFastForward() *op.Operation[api.MergeBranchesByFastForwardInput, api.MergeBranchesByFastForwardOutput] {
	return &op.Operation[api.MergeBranchesByFastForwardInput, api.MergeBranchesByFastForwardOutput]{
		Spec: mergeBranchesByFastForwardSpec,
		Checks: func(ctx context.Context, _ authz.Caller, in *api.MergeBranchesByFastForwardInput) ([]authz.Check, error) {
			q, err := branchMergeOf(in)
			if err != nil {
				return nil, err
			}
			return s.branchMergeChecks(ctx, q)
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.MergeBranchesByFastForwardInput) (*api.MergeBranchesByFastForwardOutput, error) {
			q, err := branchMergeOf(in)
			if err != nil {
				return nil, err
			}
			var tip *object.CommitObject
			err = retry(func() error {
				tip, err = s.mergeBranches(ctx, g, q)
				return err
			})
			if err != nil {
				return nil, err
			}
			return &api.MergeBranchesByFastForwardOutput{CommitId: idText(tip.ID), TreeId: idText(tip.Tree)}, nil
		},
	}
}

// branchMerge is a validated merge of branches.
type branchMerge struct {
	repository          string
	source, destination specifier
	target              refname.Name // empty: the branch that destination names
}

func branchMergeOf(in *api.MergeBranchesByFastForwardInput) (branchMerge, error) {
	var (
		q branchMerge
		e [4]error
	)
	q.repository, e[0] = repositoryName(in.RepositoryName)
	q.source, e[1] = requiredSpecifier(in.SourceCommitSpecifier)
	q.destination, e[2] = requiredSpecifier(in.DestinationCommitSpecifier)
	if in.TargetBranch != nil {
		if err := refname.CheckBranch(*in.TargetBranch); err != nil {
			e[3] = errInvalidTargetBranch.Wrap(err, "The target branch %q is not valid.", *in.TargetBranch)
		}
		q.target = refname.Branch(*in.TargetBranch)
	}
	return q, firstError(e[:]...)
}

// moves returns the branch that the merge moves, or false where none is named.
func (q branchMerge) moves(head refname.Name) (refname.Name, bool) {
	if q.target != "" {
		return q.target, true
	}
	return q.destination.branch(head)
}

// branchMergeChecks asks about the branch that moves. HEAD stands for the default
// branch, which takes a look; a repository that is not there has none, and the
// decision is then made without a reference, as it is for a bare commit ID.
func (s *Service) branchMergeChecks(ctx context.Context, q branchMerge) ([]authz.Check, error) {
	var head refname.Name
	if q.target == "" && q.destination == headSpecifier {
		_, snap, err := s.load(ctx, q.repository)
		if err != nil && !fault.Has(err, errRepositoryDoesNotExist) {
			return nil, err
		}
		if err == nil {
			head = snap.Head
		}
	}
	ref, ok := q.moves(head)
	if !ok {
		return []authz.Check{s.check("MergeBranchesByFastForward", q.repository)}, nil
	}
	c := s.check("MergeBranchesByFastForward", q.repository, refValue(ref))
	c.Way = wayOfMerge(ref)
	return []authz.Check{c}, nil
}

// mergeBranches returns the commit that the branch is at afterwards.
func (s *Service) mergeBranches(ctx context.Context, g authz.Grant, q branchMerge) (*object.CommitObject, error) {
	r, snap, err := s.load(ctx, q.repository)
	if err != nil {
		return nil, err
	}
	target, err := q.branch(snap)
	if err != nil {
		return nil, err
	}
	objects, err := s.Repos.Objects(ctx, snap)
	if err != nil {
		return nil, err
	}
	to, err := q.result(ctx, snap, objects, target)
	if err := errors.Join(err, objects.Close()); err != nil {
		return nil, err
	}
	if to.ID == target.OID { // contains the source already
		return to, nil
	}
	return to, s.commit(ctx, g, refChange{
		by:         mergeBranchesByFastForwardSpec,
		repository: r,
		moves:      []RefMove{{Ref: target.Name, Old: target.OID, New: to.ID}},
	})
}

// branch finds the branch that the merge moves.
func (q branchMerge) branch(snap *repo.Snapshot) (repo.Ref, error) {
	name, ok := q.moves(snap.Head)
	if !ok {
		return repo.Ref{}, errInvalidTargetBranch.New("%q is not a branch; name the branch to move as targetBranch.", string(q.destination))
	}
	if ref, ok := snap.Ref(name); ok {
		return ref, nil
	}
	if _, isTag := snap.Ref(refname.Name(refname.TagsPrefix + name.Short())); isTag {
		return repo.Ref{}, errBranchNameIsTagName.New("%q is the name of a tag, not of a branch.", name.Short())
	}
	return repo.Ref{}, errBranchDoesNotExist.New("%s does not exist", name)
}

// result is where the target goes: to the source, when both the destination and the
// target are its ancestors.
func (q branchMerge) result(ctx context.Context, snap *repo.Snapshot, objects *repo.Objects, target repo.Ref) (*object.CommitObject, error) {
	source, err := q.source.commit(ctx, snap, objects)
	if err != nil {
		return nil, err
	}
	destination, err := q.destination.commit(ctx, snap, objects)
	if err != nil {
		return nil, err
	}
	if contained, err := objects.IsAncestor(ctx, source.ID, target.OID); err != nil {
		return nil, err
	} else if contained {
		return objects.Commit(ctx, target.OID)
	}
	for _, from := range []struct {
		what string
		repo.Ref
	}{{"the destination", repo.Ref{OID: destination.ID}}, {target.Name.Short(), target}} {
		behind, err := objects.IsAncestor(ctx, from.OID, source.ID)
		if err != nil {
			return nil, err
		}
		if !behind {
			return nil, errManualMergeRequired.New("%s at %s is not an ancestor of %s: it cannot be fast-forwarded.", from.what, from.OID, source.ID)
		}
	}
	return source, nil
}
