package codecommit

import (
	"strings"
	"testing"

	"github.com/refward/refward/internal/fault"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// code is the code that an error carries; empty for none.
func code(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	for _, c := range []fault.Code{
		errPathRequired, errInvalidPath, errInvalidCommit, errCommitRequired, errInvalidEmail,
		errNameLengthExceeded, errPullRequestIDRequired, errInvalidPullRequestID, errInvalidMaxResults,
		errInvalidReferenceName, errReferenceNameRequired, errReferenceDoesNotExist, errReferenceTypeNotSupported,
	} {
		if fault.Has(err, c) {
			return strings.TrimSuffix(c.Name, "Exception")
		}
	}
	t.Fatalf("unexpected error %v", err)
	return ""
}

func TestWritablePath(t *testing.T) {
	for given, want := range map[string]string{
		"":                             "PathRequired",
		"/":                            "InvalidPath",
		"a":                            "",
		"/a/b.txt":                     "",
		"a//b":                         "InvalidPath",
		"a/":                           "InvalidPath",
		"./a":                          "InvalidPath",
		"a/../b":                       "InvalidPath",
		"a\x00b":                       "InvalidPath",
		".git/config":                  "InvalidPath",
		"a/.GIT/hooks/post-checkout":   "InvalidPath",
		".git":                         "InvalidPath",
		".gIt ./config":                "InvalidPath",
		"git~1/config":                 "InvalidPath",
		".git::$INDEX_ALLOCATION/x":    "InvalidPath",
		".g\u200cit/config":            "InvalidPath",
		`a\.git\config`:                "InvalidPath",
		".gitignore":                   "",
		".github/workflows/x":          "",
		"agit~1":                       "",
		strings.Repeat("a/", 21) + "f": "InvalidPath",
		strings.Repeat("a/", 20) + "f": "",
		strings.Repeat("a", 4097):      "InvalidPath",
	} {
		_, err := writablePath(&given)
		if got := code(t, err); got != want {
			t.Errorf("%.40q: got %q, want %q", given, got, want)
		}
	}
	if _, err := writablePath(nil); code(t, err) != "PathRequired" {
		t.Error("an absent path is accepted")
	}
	if p, err := folderPath(new("")); err != nil || len(p) != 0 {
		t.Errorf("the root: %v %v", p, err)
	}
}

func FuzzWritablePath(f *testing.F) {
	for _, s := range []string{"a/b", "/a", ".git/x", "a//b", "..", "\u200c.git"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := writablePath(&s)
		if err != nil {
			code(t, err)
			return
		}
		if p.String() != strings.TrimPrefix(s, "/") {
			t.Errorf("%q became %q", s, p)
		}
		for _, part := range p {
			if part == "" || part == "." || part == ".." || strings.EqualFold(part, ".git") {
				t.Errorf("%q is accepted", s)
			}
		}
	})
}

func TestSpecifier(t *testing.T) {
	id := strings.Repeat("ab", 20)
	const head = refname.Name("refs/heads/master")
	for given, want := range map[string]struct {
		code   string
		branch refname.Name
	}{
		"":                {branch: head},
		"HEAD":            {branch: head},
		"main":            {branch: "refs/heads/main"},
		"a/b":             {branch: "refs/heads/a/b"},
		"refs/heads/main": {branch: "refs/heads/main"},
		"refs/tags/v1":    {},
		id:                {},
		"HEAD~1":          {code: "InvalidCommit"},
		"a b":             {code: "InvalidCommit"},
		"--upload-pack=x": {code: "InvalidCommit"},
		"refs/":           {code: "InvalidCommit"},
		"@{-1}":           {code: "InvalidCommit"},
	} {
		spec, err := optionalSpecifier(&given)
		if got := code(t, err); got != want.code {
			t.Errorf("%q: got %q, want %q", given, got, want.code)
		}
		if err != nil {
			continue
		}
		if got, ok := spec.branch(head); got != want.branch || ok != (want.branch != "") {
			t.Errorf("%q: branch %q %v, want %q", given, got, ok, want.branch)
		}
	}
	if _, err := requiredSpecifier(nil); code(t, err) != "CommitRequired" {
		t.Error("an absent commit is accepted")
	}
	if _, ok := specifier("").branch(""); ok {
		t.Error("an empty repository has a branch")
	}
}

// A branch wins over a tag of the same name, a full name over both, an ID over all.
func TestSpecifierOrder(t *testing.T) {
	branch, tag, odd := oid.ID{1}, oid.ID{2}, oid.ID{3}
	snap := &repo.Snapshot{Head: "refs/heads/x", Refs: repo.NewRefs([]repo.Ref{
		{Name: "refs/heads/refs/tags/x", OID: odd},
		{Name: "refs/heads/x", OID: branch},
		{Name: "refs/tags/" + refname.Name(odd.String()), OID: tag},
		{Name: "refs/tags/t", OID: tag},
		{Name: "refs/tags/x", OID: tag},
	})}
	for spec, want := range map[specifier]oid.ID{
		"":                      branch,
		"HEAD":                  branch,
		"x":                     branch,
		"t":                     tag,
		"refs/tags/x":           tag,
		specifier(odd.String()): odd,
		"missing":               oid.Zero,
	} {
		if got, ok := spec.id(snap); got != want || ok == want.IsZero() {
			t.Errorf("%q: got %s %v, want %s", spec, got, ok, want)
		}
	}
	for text, want := range map[string]string{
		"x": "", "refs/heads/x": "", "t": "ReferenceTypeNotSupported", "refs/tags/x": "ReferenceTypeNotSupported",
		"nothing": "ReferenceDoesNotExist", "": "ReferenceDoesNotExist",
	} {
		if _, err := branchToMerge(snap, text); code(t, err) != want {
			t.Errorf("pull request reference %q: got %v, want %q", text, err, want)
		}
	}
}

func TestAuthor(t *testing.T) {
	for _, tc := range []struct {
		name, email, want string
		wantName          string
	}{
		{"Ada", "ada@example.com", "", "Ada"},
		{"", "", "", ""},
		{"Ada\n> <x@y> 0 +0000\ncommitter Eve", "", "", "Ada x@y 0 +0000committer Eve"},
		{strings.Repeat("x", 1025), "", "NameLengthExceeded", ""},
		{"Ada", "a b", "InvalidEmail", ""},
		{"Ada", "a>\nparent x", "InvalidEmail", ""},
		{"Ada", strings.Repeat("x", 257), "InvalidEmail", ""},
	} {
		got, err := author(&tc.name, &tc.email)
		if c := code(t, err); c != tc.want || got.Name != tc.wantName {
			t.Errorf("%.20q %.20q: got %q %q, want %q %q", tc.name, tc.email, got.Name, c, tc.wantName, tc.want)
		}
	}
}

func TestPullRequestID(t *testing.T) {
	for given, want := range map[string]string{
		"1": "", "9223372036854775807": "", "": "PullRequestIdRequired",
		"0": "InvalidPullRequestId", "-1": "InvalidPullRequestId", "01": "InvalidPullRequestId", "+1": "InvalidPullRequestId",
		"1 ": "InvalidPullRequestId", "x": "InvalidPullRequestId", "9223372036854775808": "InvalidPullRequestId",
	} {
		if _, err := pullRequestID(&given); code(t, err) != want {
			t.Errorf("%q: got %v, want %q", given, err, want)
		}
	}
}

func TestMaxResults(t *testing.T) {
	for _, tc := range []struct {
		given *int32
		limit int
		code  string
	}{
		{nil, 100, ""}, {new(int32(1)), 1, ""}, {new(int32(1000)), 100, ""},
		{new(int32(0)), 0, "InvalidMaxResults"}, {new(int32(-5)), 0, "InvalidMaxResults"},
	} {
		got, err := maxResults(tc.given, 100)
		if got != tc.limit || code(t, err) != tc.code {
			t.Errorf("got %d %v, want %d %q", got, err, tc.limit, tc.code)
		}
	}
}
