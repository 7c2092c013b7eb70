package codecommit

import (
	"context"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

var mergePullRequestByFastForwardSpec = op.Spec{
	Service:  "codecommit",
	Name:     "MergePullRequestByFastForward",
	Resource: "repositoryName",
	Keys:     map[string]string{ReferencesKey: "the destination reference of pullRequestId"},
	Refs:     op.FastForwardsRef,
}

// MergePullRequestByFastForward moves the destination of a pull request to its source
// and closes it as merged.
func (s *Service) MergePullRequestByFastForward() *op.Operation[api.MergePullRequestByFastForwardInput, api.MergePullRequestByFastForwardOutput] {
	return &op.Operation[api.MergePullRequestByFastForwardInput, api.MergePullRequestByFastForwardOutput]{
		Spec:   mergePullRequestByFastForwardSpec,
		Checks: s.mergePullRequestChecks,
		Run: func(ctx context.Context, g authz.Grant, in *api.MergePullRequestByFastForwardInput) (*api.MergePullRequestByFastForwardOutput, error) {
			if err := retry(func() error { return s.mergePullRequest(ctx, g, in) }); err != nil {
				return nil, err
			}
			id, err := pullRequestID(in.PullRequestId)
			if err != nil {
				return nil, err
			}
			f, err := s.findPullRequest(ctx, id)
			if err != nil {
				return nil, err
			}
			return &api.MergePullRequestByFastForwardOutput{PullRequest: f.shape()}, nil
		},
	}
}

// mergePullRequestChecks asks on the repository that the request names, about the
// destination of the pull request. Whether the two belong together is told after the
// decision; where they do not, the destination has no part in it: neither a refusal nor a
// condition of a policy on one repository may tell what is in another.
func (s *Service) mergePullRequestChecks(ctx context.Context, _ authz.Caller, in *api.MergePullRequestByFastForwardInput) ([]authz.Check, error) {
	id, err1 := pullRequestID(in.PullRequestId)
	name, err2 := repositoryName(in.RepositoryName)
	_, err3 := guardCommitID(in.SourceCommitId)
	if err := firstError(err1, err2, err3); err != nil {
		return nil, err
	}
	f, err := s.findPullRequest(ctx, id)
	if err != nil {
		return nil, err
	}
	if f.repository.Name != name {
		return []authz.Check{s.check("MergePullRequestByFastForward", name)}, nil
	}
	c := s.check("MergePullRequestByFastForward", name, refValue(f.Destination))
	c.Way = wayOfMerge(f.Destination)
	return []authz.Check{c}, nil
}

// guardCommitID validates the commit ID that guards a merge; zero where it is absent.
func guardCommitID(text *string) (oid.ID, error) {
	if text == nil {
		return oid.Zero, nil
	}
	id, err := objectID(*text)
	if err != nil || id.IsZero() {
		return oid.Zero, errInvalidCommitID.New("The commit ID %q is not valid: it has 40 hexadecimal digits.", *text)
	}
	return id, nil
}

// mergePullRequest merges from what it finds now; the transaction holds it to that.
func (s *Service) mergePullRequest(ctx context.Context, g authz.Grant, in *api.MergePullRequestByFastForwardInput) error {
	id, err1 := pullRequestID(in.PullRequestId)
	guard, err2 := guardCommitID(in.SourceCommitId)
	if err := firstError(err1, err2); err != nil {
		return err
	}
	r, snap, err := s.load(ctx, textOf(in.RepositoryName))
	if err != nil {
		return err
	}
	f, err := s.findPullRequest(ctx, id)
	if err != nil {
		return err
	}
	if f.Repository != r.ID {
		return errRepositoryNotAssociatedWithPR.New("The pull request %d is not in the repository %s.", id, r.Name)
	}
	if err := stillOpen(&f.PullRequest); err != nil {
		return err
	}
	source, ok1 := snap.Ref(f.Source)
	destination, ok2 := snap.Ref(f.Destination)
	switch {
	case !ok1 || !ok2:
		return errReferenceDoesNotExist.New("%s or %s does not exist", f.Source, f.Destination)
	case !guard.IsZero() && guard != source.OID:
		return errTipOfSourceReferenceIsDifferent.New("%s is at %s, not at %s.", f.Source.Short(), source.OID, guard)
	}
	to, err := s.fastForward(ctx, snap, source.OID, destination.OID)
	if err != nil {
		return err
	}
	return s.commit(ctx, g, refChange{
		by:         mergePullRequestByFastForwardSpec,
		repository: r,
		moves:      []RefMove{{Ref: f.Destination, Old: destination.OID, New: to}},
		merges:     id,
	})
}

// fastForward returns where a branch at to goes when from is merged into it: to from,
// or nowhere when it contains from already.
func (s *Service) fastForward(ctx context.Context, snap *repo.Snapshot, from, to oid.ID) (oid.ID, error) {
	base, err := s.mergeBase(ctx, snap, from, to)
	if err != nil {
		return oid.Zero, err
	}
	switch base {
	case to:
		return from, nil
	case from:
		return to, nil
	}
	return oid.Zero, errManualMergeRequired.New("%s is not an ancestor of %s: the branch cannot be fast-forwarded.", to, from)
}
