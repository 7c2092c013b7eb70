package fsck

import (
	"context"
	"errors"
	"fmt"

	"github.com/refward/refward/internal/git/catfile"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// refs checks that every ref names an object that is there and that it may name, and
// what is kept of it.
func (c *Checker) refs(ctx context.Context, r *Report, of Repository, snap *repo.Snapshot, dir string) error {
	pool := catfile.NewPool(ctx, c.Git)
	defer pool.Close()
	reader := pool.Temporary(catfile.Source{GitDir: dir})
	defer reader.Release()
	for ref := range snap.Refs.All() {
		if err := refname.Check(ref.Name); err != nil {
			r.add(of, RefName, string(ref.Name), err.Error())
		}
		target, typ, err := peel(ctx, reader, ref.OID)
		switch {
		case errors.Is(err, catfile.ErrMissing):
			r.add(of, RefObject, string(ref.Name), fmt.Sprintf("it is at %s, and %v", ref.OID, err))
			continue
		case ctx.Err() != nil:
			return err
		case err != nil:
			r.add(of, RefObject, string(ref.Name), fmt.Sprintf("it is at %s, which cannot be read: %v", ref.OID, err))
			continue
		}
		if ref.Name.IsBranch() && (typ != object.Commit || target != ref.OID) {
			r.add(of, RefObject, string(ref.Name), fmt.Sprintf("it is at %s, which is not a commit", ref.OID))
		}
		if target == ref.OID {
			target = oid.Zero // no annotated tag
		}
		if target != ref.Peeled {
			r.add(of, RefPeeled, string(ref.Name), fmt.Sprintf("the tag %s is kept as one of %s, and is one of %s", ref.OID, ref.Peeled, target))
		}
	}
	return nil
}

// maxPeel bounds how many tags of tags are followed; a push may not bring more.
const maxPeel = 17

// peel follows annotated tags.
func peel(ctx context.Context, r *catfile.Reader, id oid.ID) (oid.ID, object.Type, error) {
	for range maxPeel {
		typ, _, err := r.Info(ctx, id)
		if err != nil || typ != object.Tag {
			return id, typ, err
		}
		_, content, err := r.Contents(ctx, id, maxTag)
		if err != nil {
			return oid.Zero, 0, err
		}
		if id, _, err = object.ParseTagTarget(content); err != nil {
			return oid.Zero, 0, fmt.Errorf("tag %s: %w", id, err)
		}
	}
	return oid.Zero, 0, errors.New("tags of tags without end")
}

// maxTag is the largest tag that a push may bring.
const maxTag = 16 << 20

// history checks that the events of each ref follow each other, from nothing to where
// the ref is.
func (c *Checker) history(ctx context.Context, r *Report, of Repository, snap *repo.Snapshot) error {
	ends := map[refname.Name]RefEvent{}
	err := c.Store.RefEvents(ctx, of.ID, func(e RefEvent) error {
		r.Counts.RefEvents++
		last := ends[e.Ref]
		if e.Old != last.New {
			r.add(of, RefHistory, string(e.Ref), fmt.Sprintf("event %d.%d moves it from %s, and the one before it (%d.%d) had left it at %s",
				e.Gen, e.Seq, name(e.Old), last.Gen, last.Seq, name(last.New)))
		}
		if e.Gen > snap.Gen {
			r.add(of, RefHistory, string(e.Ref), fmt.Sprintf("event %d.%d is of a generation that the repository, at %d, has not reached", e.Gen, e.Seq, snap.Gen))
		}
		ends[e.Ref] = e
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the history of refs: %w", err)
	}
	for ref := range snap.Refs.All() {
		last := ends[ref.Name]
		if last.New != ref.OID {
			r.add(of, RefHistory, string(ref.Name), fmt.Sprintf("it is at %s, and its last event (%d.%d) left it at %s",
				ref.OID, last.Gen, last.Seq, name(last.New)))
		}
		delete(ends, ref.Name)
	}
	for ref, last := range ends {
		if !last.New.IsZero() {
			r.add(of, RefHistory, string(ref), fmt.Sprintf("it does not exist, and its last event (%d.%d) left it at %s", last.Gen, last.Seq, last.New))
		}
	}
	c.head(r, of, snap, ends)
	return nil
}

// head checks the default branch. One that was named and not pushed yet may be missing;
// one that existed may not, since the default branch cannot be deleted.
func (c *Checker) head(r *Report, of Repository, snap *repo.Snapshot, deleted map[refname.Name]RefEvent) {
	if snap.Head == "" {
		return // no branch was pushed; one that was made of a tag does not become the default
	}
	_, exists := snap.Ref(snap.Head)
	_, existed := deleted[snap.Head]
	switch err := refname.Check(snap.Head); {
	case err != nil || !snap.Head.IsBranch():
		r.add(of, Head, "HEAD", fmt.Sprintf("the default branch %q is no branch", snap.Head))
	case !exists && existed:
		r.add(of, Head, "HEAD", fmt.Sprintf("the default branch %s was deleted", snap.Head))
	}
}

// name is an object ID for a sentence.
func name(id oid.ID) string {
	if id.IsZero() {
		return "nothing"
	}
	return id.String()
}
