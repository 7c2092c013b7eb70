package object

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/refward/refward/internal/git/oid"
)

// Mode is the mode of a tree entry.
type Mode uint32

// The modes that Git writes. Old trees hold others, such as 100664, and a pusher can make
// up any: see parseMode.
const (
	ModeTree       Mode = 0o040000
	ModeFile       Mode = 0o100644
	ModeExecutable Mode = 0o100755
	ModeSymlink    Mode = 0o120000
	ModeSubmodule  Mode = 0o160000
)

// TreeEntry is one entry of a tree.
type TreeEntry struct {
	Mode Mode
	Name string // bytes in no particular encoding, without a slash
	ID   oid.ID
}

// ParseTree reads the entries of a tree, in the order they have there. Modes that Git does
// not write are read as Git reads them.
func ParseTree(b []byte) ([]TreeEntry, error) {
	entries := make([]TreeEntry, 0, len(b)/(oid.Size+16))
	for len(b) > 0 {
		digits, rest, ok := bytes.Cut(b, []byte(" "))
		if !ok {
			return nil, fmt.Errorf("%w: a tree entry has no mode", ErrSyntax)
		}
		mode, ok := parseMode(digits)
		if !ok {
			return nil, fmt.Errorf("%w: mode %q of a tree entry", ErrSyntax, digits)
		}
		name, rest, ok := bytes.Cut(rest, []byte{0})
		if !ok || len(name) == 0 || bytes.IndexByte(name, '/') >= 0 {
			return nil, fmt.Errorf("%w: name %q of a tree entry", ErrSyntax, name)
		}
		if len(rest) < oid.Size {
			return nil, fmt.Errorf("%w: tree entry %q is cut off", ErrSyntax, name)
		}
		entries = append(entries, TreeEntry{Mode: mode, Name: string(name), ID: oid.ID(rest[:oid.Size])})
		b = rest[oid.Size:]
	}
	return entries, nil
}

// The bits of a mode that say what an entry is, and of those what a plain file is.
const (
	typeBits   = 0o170000
	plainFile  = 0o100000
	ownerMayDo = 0o100
)

// parseMode reads a mode as Git does (get_mode in tree-walk.c, canon_mode in cache.h): by
// the bits of the type, and for a file by whether its owner may run it; what is neither
// file, link nor folder is a submodule. To read it otherwise would show a reviewer something
// else than what a checkout makes of the tree, such as a file where there is a folder.
func parseMode(digits []byte) (Mode, bool) {
	if len(digits) == 0 {
		return 0, false
	}
	var bits uint32 // what does not fit is dropped, as Git does
	for _, c := range digits {
		if c < '0' || c > '7' {
			return 0, false
		}
		bits = bits<<3 | uint32(c-'0')
	}
	switch bits & typeBits {
	case plainFile:
		if bits&ownerMayDo != 0 {
			return ModeExecutable, true
		}
		return ModeFile, true
	case uint32(ModeTree), uint32(ModeSymlink):
		return Mode(bits & typeBits), true
	default:
		return ModeSubmodule, true
	}
}

// EncodeTree returns the tree with these entries as Git stores it, sorted as Git does.
// It refuses names that a tree must not have, the same name twice, and modes that Git
// does not write. It does not know the disguises of .git on other systems' file
// names: Git's own checks refuse those when the tree is stored.
func EncodeTree(entries []TreeEntry) ([]byte, error) {
	sorted := slices.Clone(entries)
	slices.SortFunc(sorted, CompareEntries)
	seen := make(map[string]struct{}, len(sorted))
	var b bytes.Buffer
	for _, e := range sorted {
		if err := checkEntry(e); err != nil {
			return nil, err
		}
		if _, twice := seen[e.Name]; twice {
			return nil, fmt.Errorf("%w: %q is in the tree twice", ErrSyntax, e.Name)
		}
		seen[e.Name] = struct{}{}
		b.WriteString(strconv.FormatUint(uint64(e.Mode), 8))
		b.WriteByte(' ')
		b.WriteString(e.Name)
		b.WriteByte(0)
		b.Write(e.ID[:])
	}
	return b.Bytes(), nil
}

// CompareEntries compares the places of two entries in a tree: a folder sorts as if its
// name ended with a slash. 0: they have one name, and both are folders or neither is.
func CompareEntries(a, b TreeEntry) int {
	n := min(len(a.Name), len(b.Name))
	if c := strings.Compare(a.Name[:n], b.Name[:n]); c != 0 {
		return c
	}
	return cmp.Compare(a.sortByte(n), b.sortByte(n))
}

// sortByte is the i-th byte of what Git compares, or 0 behind its end.
func (e TreeEntry) sortByte(i int) byte {
	switch {
	case i < len(e.Name):
		return e.Name[i]
	case e.Mode == ModeTree:
		return '/'
	}
	return 0
}

func checkEntry(e TreeEntry) error {
	switch e.Mode {
	case ModeTree, ModeFile, ModeExecutable, ModeSymlink, ModeSubmodule:
	default:
		return fmt.Errorf("%w: mode %o of %q", ErrSyntax, uint32(e.Mode), e.Name)
	}
	if e.Name == "" || e.Name == "." || e.Name == ".." || strings.EqualFold(e.Name, ".git") || strings.ContainsAny(e.Name, "/\x00") {
		return fmt.Errorf("%w: a tree cannot hold the name %q", ErrSyntax, e.Name)
	}
	if e.ID.IsZero() {
		return fmt.Errorf("%w: %q has no object ID", ErrSyntax, e.Name)
	}
	return nil
}
