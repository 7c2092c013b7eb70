// Package plain knows which objects are so ordinary that every version of git finds
// nothing to say about them: neither git-fsck(1) in strict mode, with all of its rules
// an error, nor the parsers that come before it. It says which other objects they name.
//
// It lists what is plain, not what is bad. That an object is not plain means nothing but
// that somebody else has to look at it: git itself, whose verdict and words it then is.
// So what git learns to refuse one day is, mostly, not plain already, and a rule that
// is too narrow here costs time and no more. Terms: a link is an object that another
// one names, with the type that it must have.
package plain

import (
	"bytes"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

// Link is an object that another one names, and the type that it has to be of.
type Link struct {
	ID   oid.ID
	Type object.Type
}

// Object is what is to know of a plain object beside its content.
type Object struct {
	Links []Link

	// Attributes and Symlinks are links of a tree: blobs that are plain there only if
	// [Attributes] and [Symlink] say so of their content.
	Attributes, Symlinks []oid.ID
}

// Check says whether an object is plain, and what it names. Of a blob it knows nothing:
// where a tree makes something of it, the tree says so.
func Check(t object.Type, content []byte) (Object, bool) {
	switch t {
	case object.Commit:
		return checkCommit(content)
	case object.Tree:
		return checkTree(content)
	case object.Tag:
		return checkTag(content)
	case object.Blob:
		return Object{}, true
	}
	return Object{}, false
}

// MaxAttributes bounds the size of a plain .gitattributes, in bytes: a hundredth of
// what git allows.
const MaxAttributes = 1 << 20

// maxAttributesLine bounds a line of it; git refuses those of 2,048 bytes.
const maxAttributesLine = 2000

// Attributes reports whether a blob is plain as a .gitattributes file: text with lines
// that are not long.
func Attributes(content []byte) bool {
	if len(content) > MaxAttributes || bytes.IndexByte(content, 0) >= 0 {
		return false
	}
	for line := range bytes.Lines(content) {
		if len(line) > maxAttributesLine {
			return false
		}
	}
	return true
}

// MaxSymlink bounds what a plain symbolic link leads to, in bytes. It is less than git
// (2.45.1) allowed, the only one so far with rules for it.
const MaxSymlink = 4000

// Symlink reports whether a blob is plain as what a symbolic link leads to: some path,
// and nothing that could be one into a .git on any file system.
func Symlink(content []byte) bool {
	if len(content) == 0 || len(content) > MaxSymlink || bytes.IndexByte(content, 0) >= 0 {
		return false
	}
	name := disguiseless(content)
	return !bytes.Contains(name, []byte(".git")) && !bytes.Contains(name, []byte("git~"))
}

// disguiseless is a name without what some file system or other does not look at when
// it compares names: the case of letters, and characters that are not ASCII. HFS+
// ignores a few of these, such as U+200C; here it is all.
func disguiseless(name []byte) []byte {
	lower := make([]byte, 0, len(name))
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c < 0x80 {
			lower = append(lower, c)
		}
	}
	return lower
}
