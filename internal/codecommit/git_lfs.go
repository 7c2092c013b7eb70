package codecommit

import (
	"context"
	"errors"
	"fmt"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/lfs"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
	"github.com/refward/refward/policy/catalog"
)

// Git LFS is Git's, not CodeCommit's, and so are its operations. Reading is decided like a
// pull (codecommit:GitPull). All else is decided like a push to the ref that the client
// names (codecommit:GitPush without codecommit:References and then with it), and like the
// first decision of a push where it names none. Objects and locks move no ref: what a
// branch holds is decided when it is pushed.

// defaultLFSObjectBytes is how large an object of Git LFS may be where nothing else is set.
const defaultLFSObjectBytes = 5 << 30

// Faults of Git LFS. AWS has none of them.
var (
	errLFSObjectDoesNotExist = fault.Code{Name: "LFSObjectDoesNotExist", Kind: fault.NotFound}
	errLFSObjectTooLarge     = fault.Code{Name: "LFSObjectTooLarge", Kind: fault.TooLarge}
	errLFSObjectDiffers      = fault.Code{Name: "LFSObjectDiffers", Kind: fault.Invalid}
	errLFSLockDoesNotExist   = fault.Code{Name: "LFSLockDoesNotExist", Kind: fault.NotFound}
	errLFSLockIsOthers       = fault.Code{Name: "LFSLockIsOthers", Kind: fault.Denied}
	errLFSLockChanged        = fault.Code{Name: "LFSLockChanged", Kind: fault.Conflict}
	errLFSTooManyUploads     = fault.Code{Name: "LFSTooManyUploads", Kind: fault.Throttled}
	errLFSTooManyLocks       = fault.Code{Name: "LFSTooManyLocks", Kind: fault.Limit}
)

func lfsReadSpec(name string) op.Spec {
	return op.Spec{Service: "codecommit", Name: name, Actions: []string{gitPullAction}, Resource: "the repository of the URL"}
}

// lfsWriteSpec is the row of an operation that asks what both phases of a push ask; the
// one named is that of the ref.
func lfsWriteSpec(name string) op.Spec {
	return op.Spec{
		Service: "codecommit", Name: name, Actions: []string{gitPushAction}, Phase: catalog.Command, Resource: "the repository of the URL",
		Keys: map[string]string{ReferencesKey: "the ref that the client names; absent in the first of two checks, and where it names none"},
	}
}

// lfsReadChecks asks what a pull asks.
func (s *Service) lfsReadChecks(name string) ([]authz.Check, error) {
	name, err := repositoryName(&name)
	if err != nil {
		return nil, err
	}
	return []authz.Check{s.check("GitPull", name)}, nil
}

// lfsWriteChecks asks both questions of a push to the ref; the second only where a ref is
// named. A ref that nobody can push to cannot be decided about.
func (s *Service) lfsWriteChecks(name string, refs ...refname.Name) ([]authz.Check, error) {
	name, err := repositoryName(&name)
	if err != nil {
		return nil, err
	}
	checks := []authz.Check{s.check("GitPush", name)}
	for _, ref := range refs {
		if ref == "" {
			continue
		}
		if reason := unpushable(ref); reason != "" {
			return nil, errInvalidReferenceName.New("%.200q: %s", string(ref), reason)
		}
		c := s.check("GitPush", name, refValue(ref))
		c.Way = wayOfBranch(ref)
		checks = append(checks, c)
	}
	return checks, nil
}

// lfsGranted asks the grant about what lfsWriteChecks asked.
func (s *Service) lfsGranted(g authz.Grant, name string, refs ...refname.Name) error {
	if !g.CoversAction(gitPushAction, s.arn(name)) {
		return fmt.Errorf("%w: %s on %s", errNotGranted, gitPushAction, name)
	}
	for _, ref := range refs {
		if ref != "" && !g.Covers(gitPushAction, s.arn(name), ReferencesKey, string(ref)) {
			return fmt.Errorf("%w: %s on %s of %s", errNotGranted, gitPushAction, ref, name)
		}
	}
	return nil
}

// lfsSize refuses an object over the limit.
func (s *Service) lfsSize(o lfs.Object) error {
	limit := s.LFSObjectBytes
	if limit == 0 {
		limit = defaultLFSObjectBytes
	}
	if o.Size > limit {
		return errLFSObjectTooLarge.New("the object has %d bytes, and the limit of this host is %d", o.Size, limit)
	}
	return nil
}

// lfsObject returns the row of an object that is there, with the size that it has.
func lfsObject(ctx context.Context, tx Reader, id repo.ID, want lfs.Object) (LFSObject, error) {
	found, err := tx.LFSObject(ctx, id, want.OID)
	switch {
	case errors.Is(err, ErrNotFound):
		return LFSObject{}, errLFSObjectDoesNotExist.New("the object is not in this repository")
	case err != nil:
		return LFSObject{}, err
	case found.Size != want.Size:
		return LFSObject{}, errLFSObjectDiffers.New("the object has %d bytes, not %d", found.Size, want.Size)
	}
	return found, nil
}

// lfsRepository returns the repository, if it is still the one that was named by its ID
// when the transfer was asked for: another of the same name has nothing of it.
func (s *Service) lfsRepository(ctx context.Context, tx Reader, name string, id repo.ID) (Repository, error) {
	r, err := s.repository(ctx, tx, name)
	if err == nil && r.ID != id {
		return Repository{}, errRepositoryDoesNotExist.New("%s does not exist", name)
	}
	return r, err
}
