package codecommit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/failpoint"
	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/op"
	"github.com/refward/refward/internal/repo"
)

// refChange is what one transaction does to the refs of one repository.
type refChange struct {
	by         op.Spec        // the operation: every move must be granted for its action
	repository Repository     // as it was read; its name is the one that was authorised
	moves      []RefMove      // Old equal to New: the ref is only held where it is
	incoming   *repo.Incoming // the objects that the moves bring; nil where none
	pack       *repo.Pack     // the published pack of incoming; nil where it has none
	merges     int64          // the pull request that the operation merges; 0 for none
	keepsHead  bool           // never chooses the default branch
}

// errOutdated says that the repository, or a pull request, is no longer what the
// caller found before the transaction: it has to look again.
var errOutdated = errors.New("the repository changed in the meantime")

// errLate says that so much time has passed since a pack was uploaded that its blob may
// be taken for one that nobody will ever list, and be deleted.
var errLate = fmt.Errorf("it took longer than %v to commit what was stored", repo.MaxPublish)

// errNotGranted is our own mistake: an operation does what it did not ask about.
var errNotGranted = errors.New("the grant does not cover it")

// A lostMove is a move that the state of the refs does not permit.
type lostMove struct {
	ref    refname.Name
	reason error // errStaleRef, errHeadRef or a *refConflict
}

var (
	errStaleRef = errors.New("the ref is not where it was")
	errHeadRef  = errors.New(headReason)
)

// refConflict says that a ref cannot exist beside another.
type refConflict struct{ with refname.Name }

func (e *refConflict) Error() string { return fmt.Sprintf("conflicts with %s", e.with) }

// lostMoves is every move of a change that lost. Nothing was changed.
type lostMoves []lostMove

func (l lostMoves) Error() string {
	texts := make([]string, len(l))
	for i, m := range l {
		texts[i] = fmt.Sprintf("%s: %v", m.ref, m.reason)
	}
	return strings.Join(texts, "; ")
}

// planAttempts is how often the walks for pull requests are done again when pull
// requests keep changing under them.
const planAttempts = 8

// commit makes a change: the walks that its pull requests need, then one transaction.
// It does all of the change or none. It answers lostMoves when refs do not permit it
// and errOutdated when the repository is no longer the one that was read.
func (s *Service) commit(ctx context.Context, g authz.Grant, c refChange) error {
	var err error
	for range planAttempts {
		var plan []followed
		if plan, err = s.planFollowing(ctx, g, c); err != nil {
			return err
		}
		err = s.Store.Update(ctx, func(ctx context.Context, tx Tx) error {
			err := s.moveRefs(ctx, tx, g, c, plan)
			failpoint.Reach(failpoint.RefsMoved)
			return err
		})
		if err == nil {
			failpoint.Reach(failpoint.MoveCommitted)
			if c.pack != nil && s.PackAdded != nil {
				s.PackAdded(c.repository.ID)
			}
		}
		if !errors.Is(err, errPlan) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", errOutdated, err)
}

// moveRefs is the one place where a ref changes. It refuses a move that the grant
// does not cover, or that is of a kind the operation did not declare; it takes the
// repository's row, compares and swaps each ref, records pack and reflog, gives a
// repository its first default branch and lets pull requests follow as planned.
// An error means that the transaction must be given up.
func (s *Service) moveRefs(ctx context.Context, tx Tx, g authz.Grant, c refChange, plan []followed) error {
	r, err := tx.RepositoryByID(ctx, c.repository.ID)
	if err != nil {
		return missing(err, errRepositoryDoesNotExist.New("%s does not exist", c.repository.Name))
	}
	if r.Name != c.repository.Name { // renamed: other policies apply to it now
		return errRepositoryDoesNotExist.New("%s does not exist", c.repository.Name)
	}
	if err := s.granted(g, c); err != nil {
		return err
	}
	at := s.now()
	if c.pack != nil && c.pack.Late(at) {
		return errLate
	}
	gen, err := tx.Advance(ctx, r.ID, c.repository.Epoch, at)
	if errors.Is(err, ErrStale) {
		return fmt.Errorf("%w: %w", errOutdated, err)
	} else if err != nil {
		return err
	}
	if err := swapRefs(ctx, tx, r, gen, c.moves); err != nil {
		return err
	}
	if c.pack != nil {
		if err := tx.InsertPack(ctx, r.ID, gen, *c.pack); err != nil {
			return err
		}
	}
	if err := tx.AppendRefEvents(ctx, r.ID, refEvents(g, c, gen, at)); err != nil {
		return err
	}
	if err := chooseHead(ctx, tx, r, c, at); err != nil {
		return err
	}
	return applyPlan(ctx, tx, r, c, plan)
}

// granted asks the grant about every move by itself.
func (s *Service) granted(g authz.Grant, c refChange) error {
	resource := s.arn(c.repository.Name)
	for _, m := range c.moves {
		for _, action := range c.by.IAMActions() {
			if !g.Covers(action, resource, ReferencesKey, string(m.Ref)) {
				return fmt.Errorf("%w: %s on %s", errNotGranted, action, m.Ref)
			}
		}
		if c.by.Refs&kind(m) == 0 {
			return fmt.Errorf("%w: %s did not declare what it does to %s", errNotGranted, c.by.Name, m.Ref)
		}
	}
	return nil
}

// grantedRepositories asks the grant about repositories as a whole.
func (s *Service) grantedRepositories(g authz.Grant, by op.Spec, names ...string) error {
	for _, name := range names {
		for _, action := range by.IAMActions() {
			if !g.CoversAction(action, s.arn(name)) {
				return fmt.Errorf("%w: %s on %s", errNotGranted, action, name)
			}
		}
	}
	return nil
}

// kind is what a move does to its ref. For an update it is both a fast-forward and a
// forced one, because telling them apart takes a walk.
func kind(m RefMove) op.RefEffect {
	switch {
	case m.New.IsZero():
		return op.DeletesRef
	case m.Old.IsZero():
		return op.CreatesRef
	default:
		return op.FastForwardsRef | op.ForcesRef
	}
}

// swapRefs compares and swaps, and answers lostMoves with every move that is not
// possible. Deletions come first, so that a name is free for the folder of another.
func swapRefs(ctx context.Context, tx Tx, r Repository, gen int64, moves []RefMove) error {
	var lost lostMoves
	for _, deletes := range []bool{true, false} {
		for _, m := range moves {
			if m.New.IsZero() != deletes {
				continue
			}
			reason, err := obstacle(ctx, tx, r, m)
			if err != nil {
				return err
			}
			if reason != nil {
				lost = append(lost, lostMove{m.Ref, reason})
				continue
			}
			if m.Old == m.New {
				continue
			}
			if err := tx.SwapRef(ctx, r.ID, gen, m); errors.Is(err, ErrStale) {
				return lostMoves{{m.Ref, errStaleRef}}
			} else if err != nil {
				return err
			}
		}
	}
	if lost != nil {
		return lost
	}
	return nil
}

// obstacle returns why a move is not possible, or nil.
func obstacle(ctx context.Context, tx Reader, r Repository, m RefMove) (reason, err error) {
	now, err := tx.Ref(ctx, r.ID, m.Ref)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	if now.OID != m.Old { // a missing ref has the zero ID
		return errStaleRef, nil
	}
	switch {
	case m.New.IsZero() && m.Ref == r.Head:
		return errHeadRef, nil
	case m.Old.IsZero():
		other, err := tx.RefConflict(ctx, r.ID, m.Ref)
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return &refConflict{with: other}, nil
	}
	return nil, nil
}

func refEvents(g authz.Grant, c refChange, gen int64, at time.Time) []RefEvent {
	caller := g.Caller()
	var events []RefEvent
	for _, m := range c.moves {
		if m.Old == m.New {
			continue
		}
		events = append(events, RefEvent{
			Gen:       gen,
			Move:      m,
			Principal: caller.Principal.ARN.String(),
			Operation: c.by.Name,
			RequestID: caller.RequestID,
			At:        at,
		})
	}
	return events
}

// chooseHead sets the default branch of a repository that has none, or whose default
// branch was never born, when a branch is created.
func chooseHead(ctx context.Context, tx Tx, r Repository, c refChange, at time.Time) error {
	if c.keepsHead {
		return nil
	}
	head := firstHead(r.Head, c.moves)
	if head == "" || head == r.Head {
		return nil
	}
	if r.Head != "" {
		if _, err := tx.Ref(ctx, r.ID, r.Head); !errors.Is(err, ErrNotFound) {
			return err // it exists, or it cannot be read
		}
	}
	r.Head, r.Modified = head, at
	return tx.UpdateRepository(ctx, r)
}

// firstHead picks the default branch among the branches that moves create: the one
// already named, else main, else master, else the first in the order of the moves.
// It is empty where no branch is created.
func firstHead(named refname.Name, moves []RefMove) refname.Name {
	var created []refname.Name
	for _, m := range moves {
		if m.Ref.IsBranch() && kind(m) == op.CreatesRef {
			created = append(created, m.Ref)
		}
	}
	for _, want := range []refname.Name{named, refname.Branch("main"), refname.Branch("master")} {
		if want != "" && slices.Contains(created, want) {
			return want
		}
	}
	if len(created) == 0 {
		return ""
	}
	return created[0]
}

// moveHead is the one place where an existing default branch changes.
func (s *Service) moveHead(ctx context.Context, tx Tx, g authz.Grant, by op.Spec, r Repository, head refname.Name) error {
	if by.Refs&op.MovesHead == 0 {
		return fmt.Errorf("%w: %s did not declare that it moves the default branch", errNotGranted, by.Name)
	}
	if err := s.grantedRepositories(g, by, r.Name); err != nil {
		return err
	}
	if _, err := tx.Ref(ctx, r.ID, head); err != nil {
		return missing(err, errBranchDoesNotExist.New("%s does not exist", head))
	}
	if r.Head == head {
		return nil
	}
	r.Head, r.Modified = head, s.now()
	return tx.UpdateRepository(ctx, r)
}

// retry runs f again, from the reading of the repository on, while refs move under
// it. For operations of the API, which decide anew from what they find.
func retry(f func() error) error {
	var err error
	for range planAttempts {
		err = f()
		if _, lost := errors.AsType[lostMoves](err); !lost && !errors.Is(err, errOutdated) {
			return err
		}
	}
	if lost, ok := errors.AsType[lostMoves](err); ok {
		return errConcurrentReferenceUpdate.Wrap(err, "%s was updated by others again and again; try again.", lost[0].ref)
	}
	return fault.ServiceUnavailable.Wrap(err, "The repository keeps changing; try again.")
}

// now is the time to the millisecond, as the store keeps it.
func (s *Service) now() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// tip returns where the moves leave a ref, and whether they touch it.
func tip(moves []RefMove, ref refname.Name) (oid.ID, bool) {
	for _, m := range moves {
		if m.Ref == ref {
			return m.New, true
		}
	}
	return oid.Zero, false
}
