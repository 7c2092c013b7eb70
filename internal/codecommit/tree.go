package codecommit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

// errNoEntry says that a path names nothing in a tree.
var errNoEntry = errors.New("no entry of that path")

// readsTree reads a tree's entries.
type readsTree func(ctx context.Context, id oid.ID) ([]object.TreeEntry, error)

// A treeEdit is a tree that is being changed. Only the folders on the way to a change
// are read, and only those written again.
type treeEdit struct {
	read readsTree
	root *folder
}

// folder is one folder of a treeEdit.
type folder struct {
	entries map[string]object.TreeEntry
	open    map[string]*folder // those that were read; their entry in entries may be stale
}

func newFolder() *folder {
	return &folder{entries: map[string]object.TreeEntry{}, open: map[string]*folder{}}
}

// editTree begins with the tree of that ID; the zero ID is an empty one.
func editTree(ctx context.Context, read readsTree, id oid.ID) (*treeEdit, error) {
	t := &treeEdit{read: read, root: newFolder()}
	if id.IsZero() {
		return t, nil
	}
	err := t.load(ctx, t.root, id)
	return t, err
}

func (t *treeEdit) load(ctx context.Context, f *folder, id oid.ID) error {
	entries, err := t.read(ctx, id)
	if err != nil {
		return err
	}
	for _, e := range entries {
		f.entries[e.Name] = e
	}
	return nil
}

// enter opens a folder that is in f.
func (t *treeEdit) enter(ctx context.Context, f *folder, name string) (*folder, error) {
	if sub, ok := f.open[name]; ok {
		return sub, nil
	}
	sub := newFolder()
	if err := t.load(ctx, sub, f.entries[name].ID); err != nil {
		return nil, err
	}
	f.open[name] = sub
	return sub, nil
}

// find returns what a path names, or errNoEntry. The ID of a folder that was changed
// is not its new one yet.
func (t *treeEdit) find(ctx context.Context, p filePath) (object.TreeEntry, error) {
	f := t.root
	for i, name := range p {
		e, ok := f.entries[name]
		switch {
		case !ok:
			return object.TreeEntry{}, errNoEntry
		case i == len(p)-1:
			return e, nil
		case e.Mode != object.ModeTree:
			return object.TreeEntry{}, errNoEntry
		}
		var err error
		if f, err = t.enter(ctx, f, name); err != nil {
			return object.TreeEntry{}, err
		}
	}
	return object.TreeEntry{Mode: object.ModeTree}, nil
}

// put sets a file, making the folders on the way.
func (t *treeEdit) put(ctx context.Context, p filePath, mode object.Mode, id oid.ID) error {
	f := t.root
	for i, name := range p[:len(p)-1] {
		e, ok := f.entries[name]
		switch {
		case !ok:
			f.entries[name] = object.TreeEntry{Mode: object.ModeTree, Name: name}
			f.open[name] = newFolder()
		case e.Mode == object.ModeSubmodule:
			return errFilePathConflictsWithSubmodulePath.New("%q is below the submodule %q.", p, p[:i+1])
		case e.Mode != object.ModeTree:
			return errDirectoryNameConflictsWithFileName.New("%q needs the folder %q, which is a file.", p, p[:i+1])
		}
		var err error
		if f, err = t.enter(ctx, f, name); err != nil {
			return err
		}
	}
	name := p[len(p)-1]
	switch old, ok := f.entries[name]; {
	case ok && old.Mode == object.ModeSubmodule:
		return errFilePathConflictsWithSubmodulePath.New("%q is a submodule.", p)
	case ok && old.Mode == object.ModeTree:
		sub, err := t.enter(ctx, f, name)
		if err != nil {
			return err
		}
		if !sub.empty() {
			return errFileNameConflictsWithDirectoryName.New("%q is a folder.", p)
		}
		delete(f.open, name)
	}
	f.entries[name] = object.TreeEntry{Mode: mode, Name: name, ID: id}
	return nil
}

// remove takes a file away, or answers errNoEntry. Folders that became empty are not
// written.
func (t *treeEdit) remove(ctx context.Context, p filePath) error {
	f := t.root
	for _, name := range p[:len(p)-1] {
		if e, ok := f.entries[name]; !ok || e.Mode != object.ModeTree {
			return errNoEntry
		}
		var err error
		if f, err = t.enter(ctx, f, name); err != nil {
			return err
		}
	}
	name := p[len(p)-1]
	if e, ok := f.entries[name]; !ok || e.Mode == object.ModeTree {
		return errNoEntry
	}
	delete(f.entries, name)
	return nil
}

// vanished returns the deepest folder above p that holds nothing any more, where
// there is one; the root never vanishes.
func (t *treeEdit) vanished(ctx context.Context, p filePath) (filePath, bool, error) {
	parent := p[:len(p)-1]
	f := t.root
	for _, name := range parent {
		if e, ok := f.entries[name]; !ok || e.Mode != object.ModeTree {
			return nil, false, nil
		}
		var err error
		if f, err = t.enter(ctx, f, name); err != nil {
			return nil, false, err
		}
	}
	return parent, len(parent) > 0 && f.empty(), nil
}

// empty reports whether a folder would not be written.
func (f *folder) empty() bool {
	for name, e := range f.entries {
		if sub, ok := f.open[name]; e.Mode == object.ModeTree && ok && sub.empty() {
			continue
		}
		return false
	}
	return true
}

// write returns the ID of the whole tree and the trees that were changed, in the
// order in which each comes after those that it holds.
func (t *treeEdit) write() (oid.ID, []object.Raw, error) {
	var trees []object.Raw
	id, err := t.root.write(&trees, oid.Zero)
	return id, trees, err
}

// write writes a folder that was known as was: unchanged ones are not written again.
func (f *folder) write(trees *[]object.Raw, was oid.ID) (oid.ID, error) {
	for name, sub := range f.open {
		if sub.empty() {
			delete(f.entries, name)
			continue
		}
		id, err := sub.write(trees, f.entries[name].ID)
		if err != nil {
			return oid.Zero, err
		}
		f.entries[name] = object.TreeEntry{Mode: object.ModeTree, Name: name, ID: id}
	}
	entries := make([]object.TreeEntry, 0, len(f.entries))
	for _, e := range f.entries {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b object.TreeEntry) int { return strings.Compare(a.Name, b.Name) })
	content, err := object.EncodeTree(entries)
	if err != nil {
		return oid.Zero, fmt.Errorf("encode tree: %w", err)
	}
	if len(content) > maxTreeBytes {
		return oid.Zero, errFolderContentSizeLimitExceeded.New("A folder would have more than %d bytes of entries.", maxTreeBytes)
	}
	raw := object.Raw{Type: object.Tree, Content: content}
	id := raw.ID()
	if id != was {
		*trees = append(*trees, raw)
	}
	return id, nil
}

// entryAt returns what a path names in the tree, or errNoEntry; the root is a tree
// entry without name.
func entryAt(ctx context.Context, read readsTree, root oid.ID, p filePath) (object.TreeEntry, error) {
	e := object.TreeEntry{Mode: object.ModeTree, ID: root}
	for _, name := range p {
		if e.Mode != object.ModeTree {
			return object.TreeEntry{}, errNoEntry
		}
		entries, err := read(ctx, e.ID)
		if err != nil {
			return object.TreeEntry{}, err
		}
		i := slices.IndexFunc(entries, func(e object.TreeEntry) bool { return e.Name == name })
		if i < 0 {
			return object.TreeEntry{}, errNoEntry
		}
		e = entries[i]
	}
	return e, nil
}
