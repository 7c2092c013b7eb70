package repo

import (
	"context"
	"errors"
	"fmt"

	"github.com/refward/refward/internal/git/catfile"
	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
)

// The largest commit, tag and tree that is read, and that a push may bring.
const (
	maxCommit = 16 << 20
	maxTree   = 64 << 20
)

// maxPeel bounds how many tags of tags are followed.
const maxPeel = 16

// What is read in this process: objects of up to so many bytes, out of so many that may be
// unpacked and remembered for it. Larger ones, and those that hang on many, git reads.
const (
	maxBrowsed  = 1 << 20
	browseBytes = 8 << 20
)

// Objects reads objects. Not safe for concurrent use; any number may be open at once.
type Objects struct {
	house    *House
	repo     *lease
	shelf    *shelf   // nil where it cannot be had
	browser  *browser // nil before the first object
	reader   *catfile.Reader
	incoming *Incoming       // nil: no quarantine
	inside   *catfile.Reader // of the quarantine, from the first object that needs it
}

// Objects gives read access to the objects of a snapshot. The caller closes it.
func (h *House) Objects(ctx context.Context, snap *Snapshot) (*Objects, error) {
	ctx, cancel := h.bind(ctx)
	defer cancel()
	c, err := h.ensure(ctx, snap)
	if err != nil {
		return nil, err
	}
	return h.objects(c, nil), nil
}

// objects reads under a lease, which ends with it.
func (h *House) objects(l *lease, in *Incoming) *Objects {
	o := &Objects{house: h, repo: l, reader: h.readers.Reader(l.dir), incoming: in}
	if s, err := l.shelf(); err == nil {
		o.shelf = s
	}
	return o
}

// Close gives back what was used.
func (o *Objects) Close() error {
	o.reader.Release()
	if o.inside != nil {
		o.inside.Release()
	}
	if o.shelf != nil {
		o.shelf.close()
	}
	o.repo.end() // after its processes: they may look at files of the lease
	return nil
}

// translate gives errors of the reader the names of this package.
func translate(err error) error {
	switch {
	case errors.Is(err, catfile.ErrMissing):
		return fmt.Errorf("%w: %w", ErrObjectNotFound, err)
	case errors.Is(err, catfile.ErrTooLarge):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	case errors.Is(err, catfile.ErrClosed):
		return ErrClosed
	}
	return err
}

// Info returns type and size; ErrObjectNotFound.
func (o *Objects) Info(ctx context.Context, id oid.ID) (object.Type, int64, error) {
	if file, offset, ok, err := o.stored(id); err != nil {
		return 0, 0, err
	} else if ok {
		typ, err := file.Type(offset)
		size, sizeErr := file.Size(offset)
		if err = errors.Join(err, sizeErr); err == nil {
			return typ, size, nil
		}
	}
	r, err := o.process(id)
	if err != nil {
		return 0, 0, err
	}
	typ, size, err := r.Info(ctx, id)
	return typ, size, translate(err)
}

// stored finds an object in the packs that this process reads: the one in quarantine, and
// those of the cache. What is in none of them, and what cannot be read there, git is asked
// for, which knows how to read everything, and also packs that have just come.
func (o *Objects) stored(id oid.ID) (file *pack.File, offset int64, ok bool, err error) {
	if o.incoming != nil {
		if file, offset, ok, err = o.incoming.find(id); ok || err != nil {
			return file, offset, ok, err
		}
	}
	if o.shelf == nil {
		return nil, 0, false, nil
	}
	at, ok, err := o.shelf.find(id)
	if !ok || err != nil {
		return nil, 0, false, nil
	}
	return at.pack.File, at.offset, true, nil
}

// lacks reports whether an object is in no pack of the snapshot, where that is known
// without asking git.
func (o *Objects) lacks(id oid.ID) bool {
	if o.shelf == nil {
		return false
	}
	_, ok, err := o.shelf.find(id)
	return err == nil && !ok
}

// process returns the process that reads an object: the one that the repository keeps,
// but for one in quarantine a process that sees both.
func (o *Objects) process(id oid.ID) (*catfile.Reader, error) {
	if o.incoming == nil {
		return o.reader, nil
	}
	_, _, ok, err := o.incoming.find(id)
	if !ok || err != nil {
		return o.reader, err
	}
	if o.inside == nil {
		o.inside = o.house.readers.Temporary(o.incoming.source())
	}
	return o.inside, nil
}

// browse reads an object in this process, or fails where that is not for it.
func (o *Objects) browse(file *pack.File, offset int64) (object.Type, []byte, error) {
	if size, err := file.Size(offset); err != nil || size > maxBrowsed {
		return 0, nil, errors.Join(pack.ErrBeyond, err)
	}
	if o.browser != nil {
		if typ, content, err := o.browser.resolve(file, offset); !errors.Is(err, pack.ErrBeyond) {
			return typ, content, err
		}
	}
	o.browser = newBrowser(browseBytes) // the last one is used up
	return o.browser.resolve(file, offset)
}

// contents reads an object of at most limit bytes. They must not be changed.
func (o *Objects) contents(ctx context.Context, id oid.ID, limit int64) (object.Type, []byte, error) {
	file, offset, ok, err := o.stored(id)
	if err != nil {
		return 0, nil, err
	}
	if ok {
		typ, content, err := o.browse(file, offset)
		if err == nil && int64(len(content)) > limit {
			return 0, nil, fmt.Errorf("%w: %s %s has %d bytes, and the limit is %d", ErrTooLarge, typ, id, len(content), limit)
		}
		if err == nil {
			return typ, content, nil
		}
	}
	r, err := o.process(id)
	if err != nil {
		return 0, nil, err
	}
	typ, content, err := r.Contents(ctx, id, limit)
	return typ, content, translate(err)
}

// read reads an object that must be of a type.
func (o *Objects) read(ctx context.Context, id oid.ID, want object.Type, limit int64) ([]byte, error) {
	typ, content, err := o.contents(ctx, id, limit)
	if errors.Is(err, ErrTooLarge) {
		// Of another type comes first: a huge blob is no commit.
		if typ, _, infoErr := o.Info(ctx, id); infoErr == nil && typ != want {
			err = typeError(id, typ, want)
		}
	}
	if err != nil {
		return nil, err
	}
	if typ != want {
		return nil, typeError(id, typ, want)
	}
	return content, nil
}

func typeError(id oid.ID, is, want object.Type) error {
	return fmt.Errorf("%w: %s is a %s, not a %s", ErrObjectType, id, is, want)
}

// Commit reads a commit (ErrObjectNotFound, ErrObjectType); an annotated tag is not
// followed.
func (o *Objects) Commit(ctx context.Context, id oid.ID) (*object.CommitObject, error) {
	content, err := o.read(ctx, id, object.Commit, maxCommit)
	if err != nil {
		return nil, err
	}
	c, err := object.ParseCommit(content)
	if err != nil {
		return nil, fmt.Errorf("commit %s: %w", id, err)
	}
	c.ID = id
	return c, nil
}

// Tree reads a tree.
func (o *Objects) Tree(ctx context.Context, id oid.ID) ([]object.TreeEntry, error) {
	content, err := o.read(ctx, id, object.Tree, maxTree)
	if err != nil {
		return nil, err
	}
	entries, err := object.ParseTree(content)
	if err != nil {
		return nil, fmt.Errorf("tree %s: %w", id, err)
	}
	return entries, nil
}

// Blob reads a blob of at most limit bytes; ErrTooLarge.
func (o *Objects) Blob(ctx context.Context, id oid.ID, limit int64) ([]byte, error) {
	// Asked first, because git itself would read a large blob whole.
	typ, size, err := o.Info(ctx, id)
	if err != nil {
		return nil, err
	}
	if typ != object.Blob {
		return nil, typeError(id, typ, object.Blob)
	}
	if size > limit {
		return nil, fmt.Errorf("%w: blob %s has %d bytes, and the limit is %d", ErrTooLarge, id, size, limit)
	}
	return o.read(ctx, id, object.Blob, limit)
}

// Peel follows annotated tags to what they name.
func (o *Objects) Peel(ctx context.Context, id oid.ID) (oid.ID, object.Type, error) {
	for range maxPeel {
		typ, _, err := o.Info(ctx, id)
		if err != nil || typ != object.Tag {
			return id, typ, err
		}
		content, err := o.read(ctx, id, object.Tag, maxCommit)
		if err != nil {
			return oid.Zero, 0, err
		}
		if id, _, err = object.ParseTagTarget(content); err != nil {
			return oid.Zero, 0, fmt.Errorf("tag %s: %w", id, err)
		}
	}
	return oid.Zero, 0, fmt.Errorf("%w: more than %d tags of tags", ErrObjectType, maxPeel)
}

// How many commits a question about history reads before it is left to a git process,
// which costs as much as some dozens of them. Branches that went apart are the usual
// case of a merge base, so that walk gives up sooner.
const (
	nearAncestor  = 64
	nearMergeBase = 8
)

// IsAncestor reports whether ancestor is reachable from descendant (or the same).
func (o *Objects) IsAncestor(ctx context.Context, ancestor, descendant oid.ID) (bool, error) {
	found, all, err := o.near(ctx, ancestor, descendant, nearAncestor)
	if err != nil || found || all {
		return found, err
	}
	// The walk did not read it: that there is such a commit is still to be seen.
	if _, err := o.Commit(ctx, ancestor); err != nil {
		return false, err
	}
	ctx, cancel := o.house.bind(ctx)
	defer cancel()
	err = o.command("merge-base").Flag("--is-ancestor").Object(ancestor, descendant).Run(ctx)
	if code, ok := gitcmd.ExitCode(err); ok && code == 1 {
		return false, nil
	}
	return err == nil, err
}

// near looks for ancestor among the commits nearest to descendant, and reads no more
// than limit. all is true when there are no more than it read.
func (o *Objects) near(ctx context.Context, ancestor, descendant oid.ID, limit int) (found, all bool, err error) {
	seen := map[oid.ID]struct{}{descendant: {}}
	queue := []oid.ID{descendant}
	for read := 0; len(queue) > 0; read++ {
		if read == limit {
			return false, false, nil
		}
		c, err := o.Commit(ctx, queue[0])
		if err != nil {
			return false, false, err
		}
		if c.ID == ancestor {
			return true, false, nil
		}
		queue = queue[1:]
		for _, p := range c.Parents {
			if _, ok := seen[p]; !ok {
				seen[p] = struct{}{}
				queue = append(queue, p)
			}
			if p == ancestor {
				return true, false, nil
			}
		}
	}
	_, err = o.Commit(ctx, ancestor)
	return false, true, err
}

// MergeBase returns a best common ancestor, or the zero ID where there is none.
func (o *Objects) MergeBase(ctx context.Context, a, b oid.ID) (oid.ID, error) {
	// Most pull requests and merges are asked about again while one side contains the
	// other; the walk then saves the process.
	for _, pair := range [][2]oid.ID{{a, b}, {b, a}} {
		found, _, err := o.near(ctx, pair[0], pair[1], nearMergeBase)
		if err != nil {
			return oid.Zero, err
		}
		if found {
			return pair[0], nil
		}
	}
	ctx, cancel := o.house.bind(ctx)
	defer cancel()
	out, err := o.command("merge-base").Object(a, b).Output(ctx, 1024)
	if code, ok := gitcmd.ExitCode(err); ok && code == 1 {
		return oid.Zero, nil
	}
	if err != nil {
		return oid.Zero, err
	}
	if len(out) < oid.HexLen {
		return oid.Zero, fmt.Errorf("git merge-base: unexpected answer %q", out)
	}
	return oid.Parse(out[:oid.HexLen])
}

// command begins a git command that sees what the Objects see.
func (o *Objects) command(name string) *gitcmd.Command {
	cmd := o.house.Git.Command(name).GitDir(o.repo.dir)
	if o.incoming != nil && o.incoming.open() {
		cmd = cmd.Objects(o.incoming.objects(), o.repo.objects())
	}
	return cmd
}
