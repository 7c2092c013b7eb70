package plain_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/plain"
)

const (
	treeID    = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
	otherID   = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
	zeroID    = "0000000000000000000000000000000000000000"
	who       = "Ada <ada@example.com> 1700000000 +0100"
	tree      = "tree " + treeID + "\n"
	parent    = "parent " + otherID + "\n"
	author    = "author " + who + "\n"
	committer = "committer " + who + "\n"
)

func id(t *testing.T, hex string) oid.ID {
	t.Helper()
	id, err := oid.Parse(hex)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestPlainCommits(t *testing.T) {
	for name, text := range map[string]string{
		"first":                 tree + author + committer + "\nm\n",
		"no message":            tree + author + committer + "\n",
		"merge":                 tree + parent + "parent " + treeID + "\n" + author + committer + "\nm\n",
		"names of any kind":     tree + "author Ägir  O'N. (x) <> 1 -0000\n" + "committer \xff <\x01> 0 +9999\n" + "\nm\n",
		"signed, and in Latin":  tree + author + committer + "encoding ISO-8859-1\ngpgsig -----BEGIN\n \n x\n -----END\n\nm\n",
		"mergetag":              tree + author + committer + "mergetag object " + treeID + "\n type commit\n tag v1\n tagger " + who + "\n \n m\n\nm\n",
		"the year 30000":        tree + "author A <a> 999999999999 +0000\n" + committer + "\nm\n",
		"a header of no value":  tree + author + committer + "x \n\nm\n",
		"message like a header": tree + author + committer + "\nparent x\nauthor y\n",
	} {
		if _, ok := plain.Check(object.Commit, []byte(text)); !ok {
			t.Errorf("%s: not plain", name)
		}
	}
	got, _ := plain.Check(object.Commit, []byte(tree+parent+author+committer+"\nm\n"))
	want := plain.Object{Links: []plain.Link{{ID: id(t, treeID), Type: object.Tree}, {ID: id(t, otherID), Type: object.Commit}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("links (-want +got):\n%s", d)
	}
}

// TestOddCommits has a case for each rule of fsck about commits, and for what is near.
func TestOddCommits(t *testing.T) {
	ident := func(text string) string { return tree + "author " + text + "\n" + committer + "\nm\n" }
	for name, text := range map[string]string{
		"nothing":                          "",
		"nulInHeader":                      tree + "author A\x00 <a> 1 +0000\n" + committer + "\nm\n",
		"nulInCommit":                      tree + author + committer + "\nm\x00\n",
		"unterminatedHeader":               tree + author + strings.TrimSuffix(committer, "\n"),
		"no empty line":                    tree + author + committer,
		"missingTree":                      author + committer + "\nm\n",
		"badTreeSha1":                      "tree 4b825\n" + author + committer + "\nm\n",
		"upper case":                       strings.ToUpper(tree[:10]) + tree[10:] + author + committer + "\nm\n",
		"upper-case ID":                    "tree " + strings.ToUpper(treeID) + "\n" + author + committer + "\nm\n",
		"long tree":                        "tree " + treeID + "0\n" + author + committer + "\nm\n",
		"tree and space":                   "tree " + treeID + " \n" + author + committer + "\nm\n",
		"tree of zeros":                    "tree " + zeroID + "\n" + author + committer + "\nm\n",
		"two trees":                        tree + tree + author + committer + "\nm\n",
		"badParentSha1":                    tree + "parent x\n" + author + committer + "\nm\n",
		"parent of zeros":                  tree + "parent " + zeroID + "\n" + author + committer + "\nm\n",
		"parent late":                      tree + author + parent + committer + "\nm\n",
		"parent last":                      tree + author + committer + parent + "\nm\n",
		"missingAuthor":                    tree + committer + "\nm\n",
		"multipleAuthors":                  tree + author + author + committer + "\nm\n",
		"missingCommitter":                 tree + author + "\nm\n",
		"two committers":                   tree + author + committer + committer + "\nm\n",
		"author last":                      tree + committer + author + "\nm\n",
		"missingNameBeforeEmail":           ident("<a@b> 1 +0000"),
		"two spaces before email":          ident("A  <a@b> 1 +0000"),
		"no name":                          ident(" <a@b> 1 +0000"),
		"badName":                          ident("A > <a@b> 1 +0000"),
		"missingSpaceBeforeEmail":          ident("A<a@b> 1 +0000"),
		"missingEmail":                     ident("A 1 +0000"),
		"badEmail":                         ident("A <a<b> 1 +0000"),
		"email without an end":             ident("A <a@b 1 +0000"),
		"missingSpaceBeforeDate":           ident("A <a@b>1 +0000"),
		"two spaces before date":           ident("A <a@b>  1 +0000"),
		"tab before date":                  ident("A <a@b>\t1 +0000"),
		"badDate":                          ident("A <a@b> yesterday +0000"),
		"negative date":                    ident("A <a@b> -1 +0000"),
		"no date":                          ident("A <a@b>"),
		"zeroPaddedDate":                   ident("A <a@b> 01 +0000"),
		"badDateOverflow":                  ident("A <a@b> 99999999999999999999 +0000"),
		"thirteen digits":                  ident("A <a@b> 1000000000000 +0000"),
		"badTimezone":                      ident("A <a@b> 1 +051800"),
		"no zone":                          ident("A <a@b> 1 "),
		"zone without sign":                ident("A <a@b> 1 00000"),
		"zone of letters":                  ident("A <a@b> 1 +GMT0"),
		"something behind the zone":        ident("A <a@b> 1 +0000 "),
		"badHeaderContinuation, unclaimed": tree + author + committer + " x\n\nm\n",
		"header without a value":           tree + author + committer + "x\n\nm\n",
		"header of odd letters":            tree + author + committer + "X:y z\n\nm\n",
		"header of another kind":           tree + author + committer + "tagger " + who + "\n\nm\n",
	} {
		if _, ok := plain.Check(object.Commit, []byte(text)); ok {
			t.Errorf("%s: is plain", name)
		}
	}
}

func TestTags(t *testing.T) {
	head := "object " + otherID + "\ntype commit\n"
	tagger := "tagger " + who + "\n"
	for name, c := range map[string]struct {
		text  string
		plain bool
	}{
		"ordinary":                {head + "tag v1.0\n" + tagger + "\nm\n", true},
		"signed":                  {head + "tag release/1.0-rc+2_x\n" + tagger + "\nm\n-----BEGIN\n", true},
		"of a tag":                {"object " + otherID + "\ntype tag\ntag v1\n" + tagger + "\n", true},
		"missingObject":           {"type commit\ntag v1\n" + tagger + "\nm\n", false},
		"badObjectSha1":           {"object x\ntype commit\ntag v1\n" + tagger + "\nm\n", false},
		"object of zeros":         {"object " + zeroID + "\ntype commit\ntag v1\n" + tagger + "\nm\n", false},
		"missingTypeEntry":        {"object " + otherID + "\ntag v1\n" + tagger + "\nm\n", false},
		"badType":                 {"object " + otherID + "\ntype note\ntag v1\n" + tagger + "\nm\n", false},
		"empty type":              {"object " + otherID + "\ntype \ntag v1\n" + tagger + "\nm\n", false},
		"missingTagEntry":         {head + tagger + "\nm\n", false},
		"badTagName":              {head + "tag v..1\n" + tagger + "\nm\n", false},
		"name that ends as locks": {head + "tag v.lock\n" + tagger + "\nm\n", false},
		"name with a space":       {head + "tag v 1\n" + tagger + "\nm\n", false},
		"name of other letters":   {head + "tag ü\n" + tagger + "\nm\n", false},
		"name like an option":     {head + "tag -v\n" + tagger + "\nm\n", false},
		"empty name":              {head + "tag \n" + tagger + "\nm\n", false},
		"missingTaggerEntry":      {head + "tag v1\n\nm\n", false},
		"bad tagger":              {head + "tag v1\ntagger A <a> x +0000\n\nm\n", false},
		"extraHeaderEntry":        {head + "tag v1\n" + tagger + "x y\n\nm\n", false},
		"gpgsig":                  {head + "tag v1\n" + tagger + "gpgsig x\n\nm\n", false},
		"nul":                     {head + "tag v1\n" + tagger + "\nm\x00\n", false},
		"no empty line":           {head + "tag v1\n" + tagger, false},
		"long name":               {head + "tag " + strings.Repeat("v", 300) + "\n" + tagger + "\nm\n", false},
	} {
		if _, ok := plain.Check(object.Tag, []byte(c.text)); ok != c.plain {
			t.Errorf("%s: plain is %v", name, ok)
		}
	}
}

// entry is one entry of a tree.
func entry(mode, name string) string {
	return mode + " " + name + "\x00" + strings.Repeat("x", oid.Size)
}

func TestPlainTrees(t *testing.T) {
	for name, text := range map[string]string{
		"empty":         "",
		"every mode":    entry("100644", "a") + entry("100755", "b") + entry("120000", "c") + entry("40000", "d") + entry("160000", "e"),
		"git's order":   entry("100644", "a-b") + entry("100644", "a.b") + entry("40000", "a") + entry("100644", "a0"),
		"other letters": entry("100644", "Grüße.txt") + entry("100644", "日本") + entry("100644", "\xff\xfe"),
		"names of git": entry("100644", ".git-blame-ignore-revs") + entry("100644", ".gitattributes") + entry("40000", ".github") + entry("100755", ".gitignore") +
			entry("100644", ".gitkeep") + entry("100644", ".gitlab-ci.yml") + entry("100644", ".mailmap"),
		"gitfoo":    entry("40000", "git") + entry("40000", "gitfoo"),
		"long name": entry("100644", strings.Repeat("n", 255)),
		"odd names": entry("100644", " ") + entry("100644", "*?\"<>|\n") + entry("100644", "..."),
	} {
		if _, ok := plain.Check(object.Tree, []byte(text)); !ok {
			t.Errorf("%s: not plain", name)
		}
	}
	got, _ := plain.Check(object.Tree, []byte(entry("100644", ".gitattributes")+entry("120000", "l")+entry("160000", "s")+entry("40000", "t")))
	x := oid.ID([]byte(strings.Repeat("x", oid.Size)))
	want := plain.Object{
		Links:      []plain.Link{{ID: x, Type: object.Blob}, {ID: x, Type: object.Blob}, {ID: x, Type: object.Tree}},
		Attributes: []oid.ID{x}, Symlinks: []oid.ID{x},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("of a tree (-want +got):\n%s", d)
	}
}

// TestOddTrees has a case for each rule of fsck about trees, and for what is near.
func TestOddTrees(t *testing.T) {
	for name, text := range map[string]string{
		"badTree, no name":       "100644 ",
		"badTree, cut off":       entry("100644", "a")[:20],
		"badTree, no mode":       " a\x00" + strings.Repeat("x", 20),
		"badFilemode":            entry("100664", "a"),
		"mode of another folder": entry("40755", "a"),
		"mode of nothing":        entry("0", "a"),
		"zeroPaddedFilemode":     entry("040000", "a"),
		"zero before a file":     entry("0100644", "a"),
		"nullSha1":               "100644 a\x00" + strings.Repeat("\x00", 20),
		"null submodule":         "160000 a\x00" + strings.Repeat("\x00", 20),
		"emptyName":              entry("100644", ""),
		"hasDot":                 entry("40000", "."),
		"hasDotdot":              entry("40000", ".."),
		"fullPathname":           entry("100644", "a/b"),
		"largePathname":          entry("100644", strings.Repeat("a", 256)),
		"treeNotSorted":          entry("100644", "b") + entry("100644", "a"),
		"order of files":         entry("40000", "a") + entry("100644", "a.b"),
		"duplicateEntries":       entry("100644", "a") + entry("100644", "a"),
		"file and folder":        entry("100644", "a") + entry("40000", "a"),
		"file and folder, apart": entry("100644", "a") + entry("100644", "a.b") + entry("40000", "a"),
		"folder and file":        entry("40000", "a") + entry("100644", "a"),
		"hasDotgit":              entry("40000", ".git"),
		"hasDotgit, case":        entry("100644", ".GiT"),
		"hasDotgit, NTFS":        entry("100644", "git~1"),
		"hasDotgit, NTFS dots":   entry("100644", ".git. ."),
		"hasDotgit, stream":      entry("100644", ".git::$INDEX_ALLOCATION"),
		"hasDotgit, backslash":   entry("100644", "a\\.git"),
		"backslash":              entry("100644", "a\\b"),
		"colon":                  entry("100644", "a:b"),
		"tilde":                  entry("100644", "a~"),
		"hasDotgit, HFS+":        entry("40000", ".g\u200cit"),
		"hasDotgit, HFS+ end":    entry("40000", "\u200d.git"),
		"hasDotgit, broken":      entry("40000", ".gi\xfft"),
		"gitmodules":             entry("100644", ".gitmodules"),
		"gitmodules, case":       entry("100644", ".gitModules"),
		"gitmodules, short name": entry("100644", "GITMOD~1"),
		"gitmodulesSymlink":      entry("120000", ".gitmodules"),
		"gitattributesSymlink":   entry("120000", ".gitattributes"),
		"gitattributes, case":    entry("100644", ".gitAttributes"),
		"gitattributes, folder":  entry("40000", ".gitattributes"),
		"gitattributes, module":  entry("160000", ".gitattributes"),
		"gitignoreSymlink":       entry("120000", ".gitignore"),
		"mailmapSymlink":         entry("120000", ".mailmap"),
		"mailmap, case":          entry("100644", ".Mailmap"),
		"github as a file":       entry("100644", ".github"),
		"another of git":         entry("100644", ".gitfoo"),
		"something behind":       entry("100644", "a") + "x",
	} {
		if _, ok := plain.Check(object.Tree, []byte(text)); ok {
			t.Errorf("%s: is plain", name)
		}
	}
}

func TestContents(t *testing.T) {
	for text, want := range map[string]bool{
		"": true, "*.go diff=golang\n*.bin binary": true, strings.Repeat("x", 1999) + "\ny\n": true,
		strings.Repeat("x", 2001) + "\n":               false, // gitattributesLineLength
		strings.Repeat("x\n", plain.MaxAttributes/2+1): false, // gitattributesLarge
		"a\x00" + strings.Repeat("x", 10):              false,
	} {
		if got := plain.Attributes([]byte(text)); got != want {
			t.Errorf(".gitattributes of %d bytes, %.20q: %v", len(text), text, got)
		}
	}
	for text, want := range map[string]bool{
		"a": true, "../../lib/x.so.1": true, "/etc/passwd": true, "ü": true, "git": true,
		"": false, "a\x00b": false, strings.Repeat("a", 4096): false, // symlinkTargetLength
		".git/hooks": false, "x/.GIT": false, "GIT~1/config": false, ".g\u200cit": false, ".gitmodules": false, // symlinkPointsToGitDir
	} {
		if got := plain.Symlink([]byte(text)); got != want {
			t.Errorf("link to %.20q: %v", text, got)
		}
	}
	if _, ok := plain.Check(object.Blob, []byte("\x00anything")); !ok {
		t.Error("a blob is not plain")
	}
	if _, ok := plain.Check(0, nil); ok {
		t.Error("an object of no type is plain")
	}
}

// FuzzCheck: what is plain, the parsers of package object read, and find the same links
// in it; and a plain tree is the one that they would write.
func FuzzCheck(f *testing.F) {
	f.Add(uint8(object.Commit), []byte(tree+parent+author+committer+"gpgsig x\n y\n\nm\n"))
	f.Add(uint8(object.Tag), []byte("object "+otherID+"\ntype commit\ntag v1\ntagger "+who+"\n\nm\n"))
	f.Add(uint8(object.Tree), []byte(entry("100644", "a-b")+entry("40000", "a")+entry("120000", "l")))
	f.Fuzz(func(t *testing.T, kind uint8, content []byte) {
		o, ok := plain.Check(object.Type(kind), content)
		if !ok {
			return
		}
		var links []plain.Link
		switch object.Type(kind) {
		case object.Commit:
			c, err := object.ParseCommit(content)
			if err != nil {
				t.Fatal(err)
			}
			links = append(links, plain.Link{ID: c.Tree, Type: object.Tree})
			for _, p := range c.Parents {
				links = append(links, plain.Link{ID: p, Type: object.Commit})
			}
			if !bytes.Equal(c.Encode(), content) {
				t.Errorf("comes back as %q", c.Encode())
			}
		case object.Tag:
			target, typ, err := object.ParseTagTarget(content)
			if err != nil {
				t.Fatal(err)
			}
			links = append(links, plain.Link{ID: target, Type: typ})
		case object.Tree:
			entries, err := object.ParseTree(content)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				switch e.Mode {
				case object.ModeTree:
					links = append(links, plain.Link{ID: e.ID, Type: object.Tree})
				case object.ModeSubmodule:
				default:
					links = append(links, plain.Link{ID: e.ID, Type: object.Blob})
				}
			}
			if again, err := object.EncodeTree(entries); err != nil || !bytes.Equal(again, content) {
				t.Errorf("comes back as %q (%v)", again, err)
			}
		}
		if d := cmp.Diff(links, o.Links); d != "" {
			t.Errorf("links (-want +got):\n%s", d)
		}
	})
}
