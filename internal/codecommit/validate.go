package codecommit

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/codecommit/types"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
)

// The quotas of CodeCommit (User Guide, "Quotas") that requests are held to.
const (
	maxFileBytes         = 6 << 20
	maxCommitBytes       = 7 << 20 // of all files of one commit
	maxTreeBytes         = 6 << 20
	maxMessageBytes      = 256 << 10
	maxNameBytes         = 1024 // of an author
	maxEmailBytes        = 256
	maxPathBytes         = 4096
	maxPathFolders       = 20
	maxCommitFiles       = 100
	maxBatchCommits      = 100
	maxRepositories      = 1000
	maxRepositoryRunes   = 1000 // of a repository's description
	maxOpenPullRequests  = 1000
	maxTitleRunes        = 150
	maxDescriptionRunes  = 10240
	maxRequestTokenBytes = 64
)

// given reports whether a text member is present and not empty.
func given(text *string) bool { return text != nil && *text != "" }

// textOf is the text of an optional member; empty where it is absent.
func textOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// branch validates the short name of a branch and returns its full name.
func branch(short *string) (refname.Name, error) {
	if !given(short) {
		return "", errBranchNameRequired.New("A branch name is required.")
	}
	if err := refname.CheckBranch(*short); err != nil {
		return "", errInvalidBranchName.Wrap(err, "The branch name %q is not valid.", *short)
	}
	return refname.Branch(*short), nil
}

// refValue is the condition key with the ref that an operation is about.
func refValue(ref refname.Name) authz.Value {
	return authz.Value{Key: ReferencesKey, Values: []string{string(ref)}}
}

// objectID reads an object ID in either case.
func objectID(text string) (oid.ID, error) { return oid.Parse(strings.ToLower(text)) }

// commitID validates a full commit ID.
func commitID(text *string) (oid.ID, error) {
	if !given(text) {
		return oid.Zero, errCommitIDRequired.New("A commit ID is required.")
	}
	id, err := objectID(*text)
	if err != nil || id.IsZero() {
		return oid.Zero, errInvalidCommitID.New("The commit ID %q is not valid: it has 40 hexadecimal digits.", *text)
	}
	return id, nil
}

// fileMode turns the API's file mode into Git's.
func fileMode(mode types.FileModeTypeEnum) (object.Mode, error) {
	switch mode {
	case types.FileModeTypeEnumNormal:
		return object.ModeFile, nil
	case types.FileModeTypeEnumExecutable:
		return object.ModeExecutable, nil
	case types.FileModeTypeEnumSymlink:
		return object.ModeSymlink, nil
	}
	return 0, errInvalidFileMode.New("The file mode %q is not one of EXECUTABLE, NORMAL, SYMLINK.", mode)
}

// fileModeName is the inverse of fileMode, for files and symbolic links.
func fileModeName(mode object.Mode) types.FileModeTypeEnum {
	switch mode {
	case object.ModeExecutable:
		return types.FileModeTypeEnumExecutable
	case object.ModeSymlink:
		return types.FileModeTypeEnumSymlink
	default:
		return types.FileModeTypeEnumNormal
	}
}

// A filePath is the components of a path inside a repository; empty is the root.
type filePath []string

// String is the path without a slash in front.
func (p filePath) String() string { return strings.Join(p, "/") }

// path validates the path of a file. A slash in front is accepted and dropped.
func path(text *string) (filePath, error) {
	if !given(text) {
		return nil, errPathRequired.New("A path is required.")
	}
	p, err := folderPath(text)
	if err == nil && len(p) == 0 {
		return nil, errInvalidPath.New("The path %q names no file.", *text)
	}
	return p, err
}

// folderPath validates the path of a folder; "" and "/" are the root.
func folderPath(text *string) (filePath, error) {
	if text == nil {
		return nil, errPathRequired.New("A path is required.")
	}
	s := strings.TrimPrefix(*text, "/")
	if s == "" {
		return nil, nil
	}
	p := filePath(strings.Split(s, "/"))
	if len(s) > maxPathBytes || len(p)-1 > maxPathFolders {
		return nil, errInvalidPath.New("The path is longer than %d bytes or deeper than %d folders.", maxPathBytes, maxPathFolders)
	}
	for _, part := range p {
		if part == "" || part == "." || part == ".." || strings.Contains(part, "\x00") {
			return nil, errInvalidPath.New("The path %q is not valid: it has an empty component, \".\", \"..\" or a NUL.", *text)
		}
	}
	return p, nil
}

// writablePath is path for a file that is to be written: it also refuses what a
// checkout would take for Git's own folder.
func writablePath(text *string) (filePath, error) {
	p, err := path(text)
	if err != nil {
		return nil, err
	}
	for _, part := range p {
		if isDotGit(part) {
			return nil, errInvalidPath.New("The path %q is not valid: %q is Git's own folder.", *text, part)
		}
	}
	return p, nil
}

// isDotGit reports whether some file system takes the name for ".git": those that
// ignore case, NTFS (short name, trailing dots and spaces, streams, backslashes) and
// HFS+ (code points that it ignores). See verify_path in git's read-cache.c.
func isDotGit(name string) bool {
	for part := range strings.SplitSeq(name, `\`) {
		part = strings.Map(dropIgnored, part)
		part, _, _ = strings.Cut(part, ":")
		part = strings.ToLower(strings.TrimRight(part, ". "))
		if part == ".git" || part == "git~1" {
			return true
		}
	}
	return false
}

// dropIgnored drops the code points that HFS+ ignores in names.
func dropIgnored(r rune) rune {
	switch {
	case 0x200c <= r && r <= 0x200f, 0x202a <= r && r <= 0x202e, 0x206a <= r && r <= 0x206f, r == 0xfeff:
		return -1
	}
	return r
}

// maxResults validates the limit of a listing; absent is def, which is also the most.
func maxResults(limit *int32, def int) (int, error) {
	switch {
	case limit == nil:
		return def, nil
	case *limit < 1:
		return 0, errInvalidMaxResults.New("maxResults is at least 1.")
	}
	return min(int(*limit), def), nil
}

// page cuts a list that was read with one row more than the limit, and tells whether
// there is a next page.
func page[T any](rows []T, limit int) ([]T, bool) {
	if len(rows) > limit {
		return rows[:limit], true
	}
	return rows, false
}

// firstError returns the first fault or error of several validations.
func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
