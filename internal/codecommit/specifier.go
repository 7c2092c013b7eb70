package codecommit

import (
	"context"
	"errors"
	"strings"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// A specifier names a commit as the API lets callers: a full commit ID, HEAD, a full
// ref name, a branch or a tag, in this order. The empty one is the default branch.
type specifier string

const headSpecifier specifier = "HEAD"

// optionalSpecifier validates a commit specifier that may be absent.
func optionalSpecifier(text *string) (specifier, error) {
	spec := specifier(textOf(text))
	if spec == "" || spec == headSpecifier {
		return spec, nil
	}
	if _, err := objectID(string(spec)); err == nil {
		return spec, nil
	}
	name := refname.Name(spec)
	if !strings.HasPrefix(string(spec), "refs/") {
		name = refname.Branch(string(spec))
	}
	if err := refname.Check(name); err != nil {
		return "", errInvalidCommit.Wrap(err, "%q does not name a commit: it is no commit ID, branch, tag or reference.", string(spec))
	}
	return spec, nil
}

// requiredSpecifier validates a commit specifier.
func requiredSpecifier(text *string) (specifier, error) {
	if !given(text) {
		return "", errCommitRequired.New("A commit is required.")
	}
	return optionalSpecifier(text)
}

// branch returns the branch that the specifier would move, told from its text alone;
// HEAD and the empty one are head. It is false for a commit ID and for refs that are
// not branches.
func (spec specifier) branch(head refname.Name) (refname.Name, bool) {
	if spec == "" || spec == headSpecifier {
		return head, head != ""
	}
	if _, err := objectID(string(spec)); err == nil {
		return "", false
	}
	if strings.HasPrefix(string(spec), "refs/") {
		if name := refname.Name(spec); name.IsBranch() {
			return name, true
		}
		return "", false
	}
	return refname.Branch(string(spec)), true
}

// id returns the object that the specifier names in a snapshot.
func (spec specifier) id(snap *repo.Snapshot) (oid.ID, bool) {
	if id, err := objectID(string(spec)); err == nil {
		return id, true
	}
	names := []refname.Name{refname.Branch(string(spec)), refname.Name(refname.TagsPrefix + string(spec))}
	switch {
	case spec == "" || spec == headSpecifier:
		names = []refname.Name{snap.Head}
	case strings.HasPrefix(string(spec), "refs/"):
		names = []refname.Name{refname.Name(spec)}
	}
	for _, name := range names {
		if ref, ok := snap.Ref(name); ok {
			return ref.OID, true
		}
	}
	return oid.Zero, false
}

// commit resolves the specifier to a commit.
func (spec specifier) commit(ctx context.Context, snap *repo.Snapshot, objects *repo.Objects) (*object.CommitObject, error) {
	unknown := errCommitDoesNotExist.New("The commit %q does not exist.", string(spec))
	if spec == "" {
		unknown = errCommitDoesNotExist.New("The repository has no default branch yet, and no commit was named.")
	}
	id, ok := spec.id(snap)
	if !ok {
		return nil, unknown
	}
	id, typ, err := objects.Peel(ctx, id)
	if errors.Is(err, repo.ErrObjectNotFound) || err == nil && typ != object.Commit {
		return nil, unknown
	}
	if err != nil {
		return nil, err
	}
	return objects.Commit(ctx, id)
}

// knownCommit reads a commit by its ID; other is the fault for an ID without one.
func knownCommit(ctx context.Context, objects *repo.Objects, id oid.ID, other error) (*object.CommitObject, error) {
	c, err := objects.Commit(ctx, id)
	if errors.Is(err, repo.ErrObjectNotFound) || errors.Is(err, repo.ErrObjectType) {
		return nil, other
	}
	return c, err
}
