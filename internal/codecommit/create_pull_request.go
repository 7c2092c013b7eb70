package codecommit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	api "github.com/aws/aws-sdk-go-v2/service/codecommit"
	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

var createPullRequestSpec = op.Spec{Service: "codecommit", Name: "CreatePullRequest", Resource: "targets[].repositoryName"}

// CreatePullRequest asks that a branch be merged into another. As in AWS it does not
// carry codecommit:References: who may merge is decided when it is merged.
func (s *Service) CreatePullRequest() *op.Operation[api.CreatePullRequestInput, api.CreatePullRequestOutput] {
	return &op.Operation[api.CreatePullRequestInput, api.CreatePullRequestOutput]{
		Spec: createPullRequestSpec,
		Checks: func(_ context.Context, _ authz.Caller, in *api.CreatePullRequestInput) ([]authz.Check, error) {
			q, err := proposalOf(in)
			if err != nil {
				return nil, err
			}
			return []authz.Check{s.check("CreatePullRequest", q.repository)}, nil
		},
		Run: func(ctx context.Context, g authz.Grant, in *api.CreatePullRequestInput) (*api.CreatePullRequestOutput, error) {
			q, err := proposalOf(in)
			if err != nil {
				return nil, err
			}
			out := &api.CreatePullRequestOutput{}
			err = retry(func() error {
				out.PullRequest, err = s.createPullRequest(ctx, g, q)
				return err
			})
			return out, err
		},
	}
}

// proposal is a validated CreatePullRequest.
type proposal struct {
	repository          string
	source, destination string // as given; destination may be empty
	title               string
	description         *string
	token               string
}

func proposalOf(in *api.CreatePullRequestInput) (proposal, error) {
	var (
		q proposal
		e [4]error
	)
	q.title, e[0] = title(in.Title)
	q.description, e[1] = description(in.Description)
	var target types.Target
	if target, e[2] = onlyTarget(in.Targets); e[2] == nil {
		q.repository, e[2] = repositoryName(target.RepositoryName)
	}
	if e[2] == nil {
		q.source, q.destination, e[2] = targetRefs(target)
	}
	q.token, e[3] = requestToken(in.ClientRequestToken)
	return q, firstError(e[:]...)
}

// onlyTarget returns the target: exactly one is supported.
func onlyTarget(targets []types.Target) (types.Target, error) {
	if len(targets) == 0 {
		return types.Target{}, errTargetsRequired.New("A target is required.")
	}
	for _, t := range targets[1:] {
		if textOf(t.RepositoryName) != textOf(targets[0].RepositoryName) {
			return types.Target{}, errMultipleRepositoriesInPullRequest.New("All targets of a pull request are in one repository.")
		}
	}
	if len(targets) > 1 {
		return types.Target{}, errInvalidTargets.New("A pull request has exactly one target.")
	}
	return targets[0], nil
}

func targetRefs(t types.Target) (source, destination string, err error) {
	if !given(t.SourceReference) {
		return "", "", errReferenceNameRequired.New("A source reference is required.")
	}
	for _, text := range []string{*t.SourceReference, textOf(t.DestinationReference)} {
		if text == "" {
			continue
		}
		if err := refname.Check(fullName(text)); err != nil {
			return "", "", errInvalidReferenceName.Wrap(err, "The reference %q is not valid.", text)
		}
	}
	return *t.SourceReference, textOf(t.DestinationReference), nil
}

// fullName reads a reference of a pull request: full, or the short name of a branch.
func fullName(text string) refname.Name {
	if strings.HasPrefix(text, "refs/") {
		return refname.Name(text)
	}
	return refname.Branch(text)
}

// requestToken validates the idempotency token; empty where it is absent.
func requestToken(text *string) (string, error) {
	if len(textOf(text)) > maxRequestTokenBytes {
		return "", errInvalidClientRequestToken.New("The client request token is longer than %d bytes.", maxRequestTokenBytes)
	}
	return textOf(text), nil
}

// digest tells whether a token comes again with the same parameters, from the same
// caller.
func (q proposal) digest(caller authz.Caller) string {
	b, err := json.Marshal([]any{caller.Principal.ARN.String(), q.repository, q.source, q.destination, q.title, q.description})
	if err != nil {
		panic(fmt.Sprintf("encode strings: %v", err))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// createPullRequest finds the two branches, walks to their merge base, and inserts the
// pull request where both are still there.
func (s *Service) createPullRequest(ctx context.Context, g authz.Grant, q proposal) (*types.PullRequest, error) {
	if again, err := s.proposedBefore(ctx, g, q); again != nil || err != nil {
		return again, err
	}
	r, snap, err := s.load(ctx, q.repository)
	if err != nil {
		return nil, err
	}
	pr, err := s.propose(ctx, g, q, r, snap)
	if err != nil {
		return nil, err
	}
	err = s.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
		pr.ID, err = s.insertPullRequest(ctx, tx, g, r, pr)
		return err
	})
	if errors.Is(err, ErrExists) { // the same token, at the same time
		return nil, fmt.Errorf("%w: %w", errOutdated, err)
	}
	if err != nil {
		return nil, err
	}
	return found{pr, r}.shape(), nil
}

// proposedBefore returns the pull request that the token made, or nil.
func (s *Service) proposedBefore(ctx context.Context, g authz.Grant, q proposal) (*types.PullRequest, error) {
	if q.token == "" {
		return nil, nil
	}
	var f found
	err := s.Store.View(ctx, func(ctx context.Context, tx Reader) error {
		pr, err := tx.PullRequestByToken(ctx, s.Account, q.token)
		if err != nil {
			return err
		}
		f, err = s.readPullRequest(ctx, tx, pr.ID)
		return err
	})
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case f.TokenDigest != q.digest(g.Caller()):
		return nil, errIdempotencyParameterMismatch.New("The client request token was used with other parameters.")
	}
	return f.shape(), s.grantedOn(g, createPullRequestSpec, f)
}

// propose makes the row of a pull request from the branches as they are.
func (s *Service) propose(ctx context.Context, g authz.Grant, q proposal, r Repository, snap *repo.Snapshot) (PullRequest, error) {
	source, err := branchToMerge(snap, q.source)
	if err != nil {
		return PullRequest{}, err
	}
	if q.destination == "" {
		q.destination = string(snap.Head)
	}
	destination, err := branchToMerge(snap, q.destination)
	if err != nil {
		return PullRequest{}, err
	}
	if source.Name == destination.Name {
		return PullRequest{}, errSourceAndDestinationAreSame.New("Source and destination are both %s.", source.Name)
	}
	base, err := s.mergeBase(ctx, snap, source.OID, destination.OID)
	if err != nil {
		return PullRequest{}, err
	}
	now := s.now()
	pr := PullRequest{
		Account:        s.Account,
		Repository:     r.ID,
		Title:          q.title,
		Description:    textOf(q.description),
		HasDescription: q.description != nil,
		AuthorARN:      g.Caller().Principal.ARN.String(),
		Source:         source.Name,
		Destination:    destination.Name,
		SourceCommit:   source.OID,
		DestCommit:     destination.OID,
		MergeBase:      base,
		RevisionID:     newRevisionID(),
		Token:          q.token,
		Created:        now,
		LastActivity:   now,
	}
	if q.token != "" {
		pr.TokenDigest = q.digest(g.Caller())
	}
	return pr, nil
}

// branchToMerge finds a reference that a pull request names; only branches will do.
func branchToMerge(snap *repo.Snapshot, text string) (repo.Ref, error) {
	if text == "" {
		return repo.Ref{}, errReferenceDoesNotExist.New("The repository has no default branch to merge into.")
	}
	name := fullName(text)
	if ref, ok := snap.Ref(name); ok && name.IsBranch() {
		return ref, nil
	}
	tag := refname.Name(refname.TagsPrefix + name.Short())
	if _, isTag := snap.Ref(tag); isTag || !name.IsBranch() {
		return repo.Ref{}, errReferenceTypeNotSupported.New("%q is not a branch.", text)
	}
	return repo.Ref{}, errReferenceDoesNotExist.New("%s does not exist", name)
}

func (s *Service) mergeBase(ctx context.Context, snap *repo.Snapshot, a, b oid.ID) (oid.ID, error) {
	objects, err := s.Repos.Objects(ctx, snap)
	if err != nil {
		return oid.Zero, err
	}
	base, err := objects.MergeBase(ctx, a, b)
	return base, errors.Join(err, objects.Close())
}

// insertPullRequest inserts a pull request whose branches are still where they were.
func (s *Service) insertPullRequest(ctx context.Context, tx Tx, g authz.Grant, r Repository, pr PullRequest) (int64, error) {
	if now, err := tx.RepositoryByID(ctx, r.ID); err != nil || now.Name != r.Name {
		return 0, errors.Join(errOutdated, err)
	}
	if err := s.grantedRepositories(g, createPullRequestSpec, r.Name); err != nil {
		return 0, err
	}
	for _, m := range []RefMove{{Ref: pr.Source, Old: pr.SourceCommit}, {Ref: pr.Destination, Old: pr.DestCommit}} {
		if now, err := tx.Ref(ctx, r.ID, m.Ref); err != nil || now.OID != m.Old {
			return 0, errors.Join(errOutdated, err)
		}
	}
	switch n, err := tx.CountOpenPullRequests(ctx, r.ID); {
	case err != nil:
		return 0, err
	case n >= maxOpenPullRequests:
		return 0, errMaximumOpenPullRequestsExceeded.New("The repository has %d open pull requests, which is the limit.", n)
	}
	id, err := tx.InsertPullRequest(ctx, pr)
	if err != nil {
		return 0, err
	}
	return id, tx.AppendPullRequestEvent(ctx, s.Account, PullRequestEvent{
		PullRequest: id,
		Type:        string(types.PullRequestEventTypePullRequestCreated),
		ActorARN:    pr.AuthorARN,
		At:          pr.Created,
		Detail: eventDetail(types.PullRequestCreatedEventMetadata{
			RepositoryName:      &r.Name,
			SourceCommitId:      idText(pr.SourceCommit),
			DestinationCommitId: idText(pr.DestCommit),
			MergeBase:           idText(pr.MergeBase),
		}),
	})
}
