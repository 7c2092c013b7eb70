package plain

import (
	"bytes"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

// The modes of a tree's entries as git writes them.
const (
	modeTree       = "40000"
	modeFile       = "100644"
	modeExecutable = "100755"
	modeSymlink    = "120000"
	modeSubmodule  = "160000"
)

// checkTree takes entries with the modes that git writes, sorted as git sorts them, with
// names that no file system takes for another one of meaning.
func checkTree(content []byte) (Object, bool) {
	var o Object
	seen := make(map[string]struct{}, len(content)/32)
	before := ""
	for len(content) > 0 {
		mode, rest, ok := bytes.Cut(content, []byte(" "))
		if !ok {
			return Object{}, false
		}
		name, rest, ok := bytes.Cut(rest, []byte{0})
		if !ok || len(rest) < oid.Size {
			return Object{}, false
		}
		id := oid.ID(rest[:oid.Size])
		content = rest[oid.Size:]
		if id.IsZero() || !plainName(string(mode), name) || !o.add(string(mode), string(name), id) {
			return Object{}, false
		}
		// A folder sorts as if its name ended with a slash, so a file and a folder of
		// one name need not stand side by side.
		key := string(name)
		if string(mode) == modeTree {
			key += "/"
		}
		if _, twice := seen[string(name)]; twice || key <= before {
			return Object{}, false
		}
		seen[string(name)] = struct{}{}
		before = key
	}
	return o, true
}

// add notes what an entry names. It knows the modes.
func (o *Object) add(mode, name string, id oid.ID) bool {
	switch mode {
	case modeTree:
		o.Links = append(o.Links, Link{id, object.Tree})
	case modeFile, modeExecutable:
		o.Links = append(o.Links, Link{id, object.Blob})
		if name == attributesName {
			o.Attributes = append(o.Attributes, id)
		}
	case modeSymlink:
		o.Links = append(o.Links, Link{id, object.Blob})
		o.Symlinks = append(o.Symlinks, id)
	case modeSubmodule: // a commit of another repository
	default:
		return false
	}
	return true
}

// maxName is the longest name that file systems take, in bytes.
const maxName = 255

const attributesName = ".gitattributes"

// plainName reports whether a name can stand in a tree, and is nowhere the name of a
// file that git itself makes something of. Those that it does make something of and that
// are frequent are taken as they are written everywhere.
func plainName(mode string, name []byte) bool {
	switch string(name) {
	case "", ".", "..":
		return false
	case attributesName, ".gitignore", ".gitkeep", ".gitlab-ci.yml", ".git-blame-ignore-revs", ".mailmap":
		return mode == modeFile || mode == modeExecutable
	case ".github", ".gitlab":
		return mode == modeTree
	}
	if len(name) > maxName || bytes.ContainsAny(name, "/~\\:") {
		return false
	}
	bare := disguiseless(name)
	return !bytes.Contains(bare, []byte(".git")) && !bytes.Contains(bare, []byte(".mailmap"))
}
