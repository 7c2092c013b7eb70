// Package refname holds full ref names such as refs/heads/main, and the rules of
// git-check-ref-format(1) and of CodeCommit's branch names.
package refname

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/refward/refward/internal/git/oid"
)

// Name is a full ref name: always with refs/ in front, never a short one.
type Name string

// The namespaces that Refward accepts refs in.
const (
	HeadsPrefix = "refs/heads/"
	TagsPrefix  = "refs/tags/"
)

// MaxLen is the longest name accepted, in bytes. Git's limit is the wire's; a
// path component of a loose ref in a client's checkout must fit a file name.
const MaxLen = 1024

// MaxBranchLen is the longest branch name, in bytes, without refs/heads/
// (CodeCommit quota).
const MaxBranchLen = 256

// ErrSyntax is wrapped by every error of Check and CheckBranch.
var ErrSyntax = errors.New("invalid ref name")

// Branch returns the full name of a branch, unchecked.
func Branch(short string) Name { return Name(HeadsPrefix + short) }

// IsBranch reports whether the name is below refs/heads/.
func (n Name) IsBranch() bool { return strings.HasPrefix(string(n), HeadsPrefix) }

// Short returns the name without refs/heads/ or refs/tags/.
func (n Name) Short() string {
	// One of the two, not both: a branch may itself be called refs/tags/v1.
	if short, ok := strings.CutPrefix(string(n), HeadsPrefix); ok {
		return short
	}
	return strings.TrimPrefix(string(n), TagsPrefix)
}

// Check reports whether the name is a full ref name that git-check-ref-format(1)
// accepts, below refs/ with at least two more components, of at most [MaxLen]
// bytes of UTF-8. A branch also obeys [CheckBranch].
func Check(n Name) error {
	s := string(n)
	switch {
	case len(s) > MaxLen:
		return fmt.Errorf("%w: longer than %d bytes", ErrSyntax, MaxLen)
	case !strings.HasPrefix(s, "refs/"):
		return fmt.Errorf("%w: %q does not begin with refs/", ErrSyntax, s)
	case strings.Count(s, "/") < 2:
		return fmt.Errorf("%w: %q has no namespace such as refs/heads/", ErrSyntax, s)
	}
	if err := checkFormat(s); err != nil {
		return err
	}
	if n.IsBranch() {
		return CheckBranch(strings.TrimPrefix(s, HeadsPrefix))
	}
	return nil
}

// CheckBranch reports whether a short branch name is one that CodeCommit accepts:
// Git's rules, 1 to 256 bytes of UTF-8, not HEAD or @, and not exactly 40 hexadecimal
// digits, which would read as a commit ID.
func CheckBranch(short string) error {
	switch {
	case short == "":
		return fmt.Errorf("%w: empty branch name", ErrSyntax)
	case len(short) > MaxBranchLen:
		return fmt.Errorf("%w: branch name longer than %d bytes", ErrSyntax, MaxBranchLen)
	case short == "@" || short == "HEAD":
		return fmt.Errorf("%w: %q is reserved", ErrSyntax, short)
	case strings.HasPrefix(short, "-"):
		return fmt.Errorf("%w: %q begins with a hyphen", ErrSyntax, short)
	}
	if _, err := oid.Parse(strings.ToLower(short)); err == nil {
		return fmt.Errorf("%w: %q reads as a commit ID", ErrSyntax, short)
	}
	return checkFormat(HeadsPrefix + short)
}

// checkFormat applies the rules of git-check-ref-format(1) to a full name. It also
// refuses what is not UTF-8: JSON cannot carry it, so that the API would name another
// ref and the decision log could not tell two refs apart.
func checkFormat(s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%w: %q is not UTF-8", ErrSyntax, s)
	}
	if strings.HasSuffix(s, ".") || strings.Contains(s, "..") || strings.Contains(s, "@{") {
		return fmt.Errorf("%w: %q ends with a dot or holds .. or @{", ErrSyntax, s)
	}
	for part := range strings.SplitSeq(s, "/") {
		switch {
		case part == "":
			return fmt.Errorf("%w: %q has an empty component", ErrSyntax, s)
		case part[0] == '.':
			return fmt.Errorf("%w: %q has a component that begins with a dot", ErrSyntax, s)
		case strings.HasSuffix(part, ".lock"):
			return fmt.Errorf("%w: %q has a component that ends with .lock", ErrSyntax, s)
		}
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f || strings.IndexByte("~^:?*[\\", c) >= 0 {
			return fmt.Errorf("%w: %q has the forbidden byte %q", ErrSyntax, s, c)
		}
	}
	return nil
}
