package refname

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/refward/refward/internal/git/gittest"
)

const commitID = "0123456789abcdef0123456789abcdef01234567"

// TestCheck has the rules of git-check-ref-format(1) in their order, and then what
// Refward asks beyond them.
func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name string
		ref  Name
		ok   bool
	}{
		{"a branch", "refs/heads/main", true},
		{"a tag", "refs/tags/v1.0", true},
		{"another namespace", "refs/notes/commits", true},
		{"slashes in a branch", "refs/heads/feature/a/b", true},
		{"letters beyond ASCII", "refs/heads/größe", true},
		{"a plus, a comma, quotes", `refs/heads/a+b,c'd"e`, true},
		{"braces without @", "refs/heads/a{b}", true},
		{"@ among others", "refs/heads/a@b", true},
		{"a hyphen inside", "refs/heads/a-b", true},
		{"a dot inside", "refs/heads/a.b", true},
		{"a component that ends with a dot", "refs/heads/a./b", true},
		{"lock without its dot", "refs/heads/alock", true},
		{".lock in the middle of a component", "refs/heads/a.lockb", true},
		{".LOCK", "refs/heads/a.LOCK", true},

		{"rule 1: a component begins with a dot", "refs/heads/.a", false},
		{"rule 1: an inner component begins with a dot", "refs/heads/.a/b", false},
		{"rule 1: ends with .lock", "refs/heads/a.lock", false},
		{"rule 1: an inner component ends with .lock", "refs/heads/a.lock/b", false},
		{"rule 1: nothing but .lock", "refs/heads/.lock", false},
		{"rule 2: one level", "main", false},
		{"rule 3: two dots", "refs/heads/a..b", false},
		{"rule 3: two dots in front", "refs/heads/../tags/a", false},
		{"rule 4: NUL", "refs/heads/a\x00b", false},
		{"rule 4: line end", "refs/heads/a\nb", false},
		{"rule 4: tabulator", "refs/heads/a\tb", false},
		{"rule 4: DEL", "refs/heads/a\x7fb", false},
		{"rule 4: blank", "refs/heads/a b", false},
		{"rule 4: tilde", "refs/heads/a~1", false},
		{"rule 4: caret", "refs/heads/a^", false},
		{"rule 4: colon", "refs/heads/a:b", false},
		{"rule 5: question mark", "refs/heads/a?", false},
		{"rule 5: star", "refs/heads/*", false},
		{"rule 5: bracket", "refs/heads/a[b", false},
		{"rule 6: slash in front", "/refs/heads/a", false},
		{"rule 6: slash at the end", "refs/heads/a/", false},
		{"rule 6: two slashes", "refs/heads//a", false},
		{"rule 7: dot at the end", "refs/heads/a.", false},
		{"rule 8: @{", "refs/heads/a@{1}", false},
		{"rule 10: backslash", `refs/heads/a\b`, false},

		{"empty", "", false},
		{"HEAD", "HEAD", false},
		{"@", "@", false},
		{"not below refs/", "heads/main", false},
		{"upper-case REFS", "REFS/heads/main", false},
		{"no namespace", "refs/main", false},
		{"a namespace alone", "refs/heads/", false},
		{"refs/ alone", "refs/", false},
		{"refs alone", "refs", false},
		{"a branch @", "refs/heads/@", false},
		{"a branch HEAD", "refs/heads/HEAD", false},
		{"a branch like an option", "refs/heads/-f", false},
		{"a branch like a commit", Name("refs/heads/" + commitID), false},
		{"a branch like a commit in capitals", Name("refs/heads/" + strings.ToUpper(commitID)), false},
		{"a branch one digit short of a commit", Name("refs/heads/" + commitID[1:]), true},
		{"a branch below a commit", Name("refs/heads/" + commitID + "/a"), true},
		{"a tag like a commit", Name("refs/tags/" + commitID), true},
		{"a tag like an option", "refs/tags/-f", true},
		{"a tag HEAD", "refs/tags/HEAD", true},
		{"a branch of heads/HEAD", "refs/heads/heads/HEAD", true},
		{"a branch that is not UTF-8", "refs/heads/gr\xf6\xdfe", false},
		{"a tag that is not UTF-8", "refs/tags/\xff", false},
		{"a surrogate in UTF-8", "refs/tags/\xed\xa0\x80", false},
		{"the longest branch", Name("refs/heads/" + strings.Repeat("b", MaxBranchLen)), true},
		{"a branch too long", Name("refs/heads/" + strings.Repeat("b", MaxBranchLen+1)), false},
		{"a branch too long in bytes alone", Name("refs/heads/" + strings.Repeat("é", MaxBranchLen/2) + "b"), false},
		{"the longest tag", Name("refs/tags/" + strings.Repeat("t", MaxLen-len("refs/tags/"))), true},
		{"a tag too long", Name("refs/tags/" + strings.Repeat("t", MaxLen-len("refs/tags/")+1)), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := Check(tc.ref)
			if tc.ok && err != nil || !tc.ok && !errors.Is(err, ErrSyntax) {
				t.Errorf("Check(%q) is %v, want accepted %v", tc.ref, err, tc.ok)
			}
			if !tc.ref.IsBranch() {
				return
			}
			// A branch is the same by either name.
			if short := CheckBranch(tc.ref.Short()); (short == nil) != tc.ok {
				t.Errorf("CheckBranch(%q) is %v, want accepted %v", tc.ref.Short(), short, tc.ok)
			}
		})
	}
}

func TestShort(t *testing.T) {
	for _, tc := range []struct {
		ref    Name
		short  string
		branch bool
	}{
		{"refs/heads/main", "main", true},
		{"refs/heads/a/b", "a/b", true},
		{"refs/heads/refs/heads/a", "refs/heads/a", true},
		{"refs/heads/refs/tags/a", "refs/tags/a", true},
		{"refs/tags/v1", "v1", false},
		{"refs/tags/refs/heads/a", "refs/heads/a", false},
		{"refs/notes/commits", "refs/notes/commits", false},
		{"refs/headsman/a", "refs/headsman/a", false},
		{"HEAD", "HEAD", false},
		{"", "", false},
	} {
		if got := tc.ref.Short(); got != tc.short {
			t.Errorf("%q: got short name %q, want %q", tc.ref, got, tc.short)
		}
		if got := tc.ref.IsBranch(); got != tc.branch {
			t.Errorf("%q: got branch %v", tc.ref, got)
		}
		if tc.branch && Branch(tc.short) != tc.ref {
			t.Errorf("Branch(%q) is %q", tc.short, Branch(tc.short))
		}
	}
}

// TestEveryByte holds the rules about single bytes against the page: 32 control
// characters, the blank, DEL and eight more; every other byte below 0x80 is fine.
func TestEveryByte(t *testing.T) {
	for c := range utf8.RuneSelf {
		ref := Name("refs/tags/a" + string(rune(c)) + "b")
		forbidden := c <= ' ' || c == 0x7f || strings.ContainsRune(`~^:?*[\`, rune(c))
		if err := Check(ref); (err != nil) != forbidden {
			t.Errorf("byte %#x: %v, want refused %v", c, err, forbidden)
		}
	}
}

// pieces are what names are drawn from: they meet every rule often.
var pieces = []string{
	"refs", "heads", "tags", "notes", "/", "/", "/", "/", "main", "a", "b", "é", ".", "..", ".lock", "lock", "@", "{", "@{", "}", "-",
	"~", "^", ":", "?", "*", "[", "]", `\`, "HEAD", "\x01", "\x1f", "\x7f", "\x80", "\xff", "+", "#", "%", "$", "!", commitID, "\u2028", "\u00a0",
}

func drawName(t *rapid.T) string {
	front := rapid.SampledFrom([]string{"refs/heads/", "refs/heads/", "refs/tags/", "refs/", "refs/x/", ""}).Draw(t, "front")
	return front + strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 6).Draw(t, "pieces"), "")
}

// ours are the reasons for which Check refuses what git accepts.
func ours(ref string) bool {
	short, branch := strings.CutPrefix(ref, HeadsPrefix)
	switch {
	case len(ref) > MaxLen, !strings.HasPrefix(ref, "refs/"), strings.Count(ref, "/") < 2, !utf8.ValidString(ref):
		return true
	case !branch:
		return false
	}
	likeID := len(short) == 40 && strings.Trim(short, "0123456789abcdefABCDEF") == ""
	return len(short) > MaxBranchLen || short == "@" || short == "HEAD" || short[0] == '-' || likeID
}

// compare holds Check against git's answer: refused where git refuses, and beyond that
// only for a reason of ours.
func compare(t *testing.T, ref string, git bool) {
	t.Helper()
	want := git && !ours(ref)
	if err := Check(Name(ref)); (err == nil) != want {
		t.Errorf("%q: Check is %v; git accepts it: %v; want accepted %v", ref, err, git, want)
	}
}

// TestAgainstGit asks the real git about some thousands of names in one process:
// show-ref --exclude-existing reads names, warns of each that git-check-ref-format(1)
// refuses and prints the others. It cuts lines at white space and takes ^{} off;
// TestAgainstCheckRefFormat has such names.
func TestAgainstGit(t *testing.T) {
	repo := gittest.Init(t)
	var names []string
	gen := rapid.Custom(drawName)
	for seed := range 6000 {
		names = append(names, gen.Example(seed))
	}
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(s string) bool {
		return s == "" || strings.ContainsAny(s, "\x00 \t\n\r\v\f") || strings.HasSuffix(s, "^{}")
	})

	// None of them exists, so that a name is printed if and only if git accepts it.
	out := repo.Pipe([]byte(strings.Join(names, "\n")+"\n"), "show-ref", "--exclude-existing")
	accepted := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		accepted[strings.TrimSuffix(line, "\n")] = true
	}
	both := 0
	for _, name := range names {
		compare(t, name, accepted[name])
		if accepted[name] && Check(Name(name)) == nil {
			both++
		}
	}
	if len(names) < 2000 || len(accepted) < 200 || both < 100 {
		t.Fatalf("the names are too plain: %d, of which git accepts %d and both %d", len(names), len(accepted), both)
	}
}

// TestAgainstCheckRefFormat asks git-check-ref-format(1) itself where no batch can:
// a process for each name.
func TestAgainstCheckRefFormat(t *testing.T) {
	repo := gittest.Init(t)
	for _, ref := range []string{
		"refs/heads/a b", "refs/heads/a\tb", "refs/heads/a\nb", "refs/heads/a\rb", "refs/heads/a ", "refs/heads/a^{}",
		"refs/heads/" + strings.Repeat("b", MaxBranchLen), "refs/tags/" + strings.Repeat("t", 2*MaxLen), "refs/tags/", "refs/heads/main", "@", "",
	} {
		_, err := repo.Try("check-ref-format", ref)
		if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
			t.Fatalf("check-ref-format %q: %v", ref, err)
		}
		compare(t, ref, err == nil)
	}
}

// FuzzCheck holds what the rest of the host may rely on of an accepted name: it is a
// path below refs/ that leaves it nowhere, one line, one word, and no option.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{
		"", "refs/heads/main", "refs/tags/v1", "refs/heads/a/b", "refs/heads/" + commitID, "refs/heads/.a", "refs/heads/a.lock", "refs/heads/a..b",
		"refs//heads/a", "refs/heads/a\x00", "refs/heads/\xff", "refs/heads/-a", "refs/heads/@", "refs/heads/@{", "refs/heads/HEAD", "HEAD", "@",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		err := Check(Name(s))
		if err != nil {
			if !errors.Is(err, ErrSyntax) {
				t.Fatalf("%q: %v is not ErrSyntax", s, err)
			}
			return
		}
		if !utf8.ValidString(s) || len(s) > MaxLen || !strings.HasPrefix(s, "refs/") {
			t.Fatalf("%q is accepted", s)
		}
		for _, bad := range []string{"..", "//", "/.", "@{", ".lock/", "/-\x00", " ", "~", "^", ":", "?", "*", "[", `\`} {
			if strings.Contains(s, bad) {
				t.Fatalf("%q is accepted and holds %q", s, bad)
			}
		}
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Fatalf("%q is accepted and holds a control character", s)
		}
		if strings.HasSuffix(s, "/") || strings.HasSuffix(s, ".") || strings.HasSuffix(s, ".lock") {
			t.Fatalf("%q is accepted with its end", s)
		}
		if n := Name(s); n.IsBranch() && (CheckBranch(n.Short()) != nil || Branch(n.Short()) != n || len(n.Short()) > MaxBranchLen) {
			t.Fatalf("%q is accepted and its short name %q is not", s, n.Short())
		}
	})
}
