package object_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

const (
	someID  = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
	otherID = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
)

// TestRoundTripsRealObjects parses and encodes again what the real git made, byte for
// byte, and hashes it to the same name.
func TestRoundTripsRealObjects(t *testing.T) {
	r := gittest.Init(t)
	r.Write("a", "folder beside a-b and a.b")
	r.Write("a-b", "1")
	r.Write("a.b", "2")
	r.Git("add", "--all")
	r.Git("rm", "--quiet", "--force", "a")
	r.Write("a/x", "3")
	r.Commit("Ünicode name", "4")
	r.Git("checkout", "--quiet", "-b", "side")
	r.Commit("b/c/d", "5")
	r.Git("checkout", "--quiet", "master")
	r.Commit("e", "6")
	r.Git("merge", "--quiet", "--no-edit", "side")
	r.Git("tag", "--annotate", "--message=m", "v1")
	r.Git("-c", "i18n.commitEncoding=ISO-8859-1", "commit", "--quiet", "--allow-empty", "--message=enc\n\nbody\n")
	r.Object("commit", "tree "+r.ID("HEAD^{tree}").String()+"\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\ngpgsig -----BEGIN\n \n line\n -----END\n\nsigned\n")

	seen := map[object.Type]int{}
	for line := range strings.Lines(r.Git("cat-file", "--batch-check=%(objectname) %(objecttype)", "--batch-all-objects")) {
		name, kind, _ := strings.Cut(strings.TrimSpace(line), " ")
		typ, err := object.ParseType(kind)
		if err != nil {
			t.Fatal(err)
		}
		content := r.Pipe(nil, "cat-file", kind, name)
		if got := (object.Raw{Type: typ, Content: content}).ID().String(); got != name {
			t.Errorf("%s %s hashes to %s", kind, name, got)
		}
		seen[typ]++
		var again []byte
		switch typ {
		case object.Commit:
			c, err := object.ParseCommit(content)
			if err != nil {
				t.Fatalf("commit %s: %v", name, err)
			}
			again = c.Encode()
		case object.Tree:
			entries, err := object.ParseTree(content)
			if err != nil {
				t.Fatalf("tree %s: %v", name, err)
			}
			if again, err = object.EncodeTree(entries); err != nil {
				t.Fatalf("tree %s: %v", name, err)
			}
		case object.Tag:
			id, targetType, err := object.ParseTagTarget(content)
			if err != nil || id != r.ID("v1^{commit}") || targetType != object.Commit {
				t.Errorf("tag names %s %s (%v)", targetType, id, err)
			}
			continue
		default:
			continue
		}
		if !bytes.Equal(again, content) {
			t.Errorf("%s %s comes back as\n%q, was\n%q", kind, name, again, content)
		}
	}
	if seen[object.Commit] < 5 || seen[object.Tree] < 5 || seen[object.Blob] < 5 || seen[object.Tag] != 1 {
		t.Errorf("the test covered only %v", seen)
	}
}

func TestParseCommit(t *testing.T) {
	c, err := object.ParseCommit([]byte("tree " + someID + "\nparent " + otherID + "\n" +
		"author Ada L. <ada@example.com> 1484167798 -0800\ncommitter  <>  1 +0000\nx y\n  z\n\nsubject\n\nbody"))
	if err != nil {
		t.Fatal(err)
	}
	tree, _ := oid.Parse(someID)
	parent, _ := oid.Parse(otherID)
	want := &object.CommitObject{Tree: tree, Parents: []oid.ID{parent},
		Author:    object.Signature{Name: "Ada L.", Email: "ada@example.com", Date: "1484167798 -0800"},
		Committer: object.Signature{Date: "1 +0000"},
		Extra:     []object.Header{{Key: "x", Value: "y\n z"}},
		Message:   "subject\n\nbody"}
	if d := cmp.Diff(want, c); d != "" {
		t.Errorf("commit (-want +got):\n%s", d)
	}
}

func TestParseCommitToleratesOldSignatures(t *testing.T) {
	for line, want := range map[string]object.Signature{
		"A <a@b>1 +0000":      {Name: "A", Email: "a@b", Date: "1 +0000"},
		"A B 123 +0100":       {Name: "A B", Date: "123 +0100"},
		"A":                   {Name: "A"},
		"A <a@b>":             {Name: "A", Email: "a@b"},
		"A <a <b> c> 1 +0000": {Name: "A", Email: "a <b> c", Date: "1 +0000"},
		"A > b < 1 +0000":     {Name: "A  b", Date: "1 +0000"},
		"<> 1 -000":           {Date: "1 -000"},
	} {
		c, err := object.ParseCommit([]byte("tree " + someID + "\nauthor " + line + "\ncommitter " + line + "\n"))
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		if c.Committer != want {
			t.Errorf("%q is %+v, want %+v", line, c.Committer, want)
		}
	}
}

func TestParseCommitTakesOddHeaders(t *testing.T) {
	head := "tree " + someID + "\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n"
	for text, want := range map[string][]object.Header{
		"x\n":            {{Key: "x"}},
		" y\n":           {{Value: "y"}},
		"x \n z\nq\n":    {{Key: "x", Value: "\nz"}, {Key: "q"}},
		"author again\n": {{Key: "author", Value: "again"}},
	} {
		c, err := object.ParseCommit([]byte(head + text + "\nm"))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if d := cmp.Diff(want, c.Extra); d != "" {
			t.Errorf("%q (-want +got):\n%s", text, d)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const sig = "author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n"
	for name, text := range map[string]string{
		"nothing":         "",
		"no newline":      "tree " + someID,
		"no tree":         sig + "\n",
		"short tree":      "tree 4b825\n" + sig + "\n",
		"upper-case tree": "tree " + strings.ToUpper(someID) + "\n" + sig + "\n",
		"no committer":    "tree " + someID + "\nauthor A <a@b> 1 +0000\n\n",
		"parent after":    "tree " + someID + "\n" + "author A <a@b> 1 +0000\nparent " + someID + "\ncommitter A <a@b> 1 +0000\n\n",
		"a tag":           "object " + someID + "\ntype commit\ntag v1\n\n",
	} {
		if _, err := object.ParseCommit([]byte(text)); !errors.Is(err, object.ErrSyntax) {
			t.Errorf("commit, %s: %v, want ErrSyntax", name, err)
		}
	}
	for name, text := range map[string]string{
		"no mode": "a", "bad mode": "9 a\x00" + strings.Repeat("x", 20),
		"no name": "100644 \x00" + strings.Repeat("x", 20), "slash": "100644 a/b\x00" + strings.Repeat("x", 20),
		"no end of name": "100644 abc", "cut off": "100644 a\x00" + strings.Repeat("x", 19), "signed mode": "-1 a\x00" + strings.Repeat("x", 20),
	} {
		if _, err := object.ParseTree([]byte(text)); !errors.Is(err, object.ErrSyntax) {
			t.Errorf("tree, %s: %v, want ErrSyntax", name, err)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "no type": "object " + someID + "\ntag v\n\n", "bad type": "object " + someID + "\ntype note\ntag v\n\n",
		"empty type": "object " + someID + "\ntype \ntag v\n\n",
		"no name":    "object " + someID + "\ntype commit\n\n", "bad object": "object x\ntype commit\ntag v\n\n",
	} {
		if _, _, err := object.ParseTagTarget([]byte(text)); !errors.Is(err, object.ErrSyntax) {
			t.Errorf("tag, %s: %v, want ErrSyntax", name, err)
		}
	}
}

// TestParseTreeModes: a mode that Git does not write is read as git ls-tree reads it (git
// 2.39). Read otherwise, a folder of mode 40755 was a file to a reviewer, and what was in
// it was in no diff; and no file could be put beside one of mode 100664.
func TestParseTreeModes(t *testing.T) {
	for text, want := range map[string]object.Mode{
		"100644": object.ModeFile, "100664": object.ModeFile, "100666": object.ModeFile, "0100644": object.ModeFile,
		"100755": object.ModeExecutable, "100100": object.ModeExecutable,
		"40000": object.ModeTree, "040000": object.ModeTree, "40755": object.ModeTree,
		"120000": object.ModeSymlink, "120777": object.ModeSymlink,
		"160000": object.ModeSubmodule, "0": object.ModeSubmodule, "60000": object.ModeSubmodule, "777777777777": object.ModeSubmodule,
		"37777777777777100644": object.ModeFile,
	} {
		entries, err := object.ParseTree([]byte(text + " a\x00" + strings.Repeat("x", 20)))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if entries[0].Mode != want {
			t.Errorf("%s is read as %o, want %o", text, entries[0].Mode, want)
		}
		if _, err := object.EncodeTree(entries); err != nil {
			t.Errorf("%s cannot be written again: %v", text, err)
		}
	}
}

func TestEncodeTreeRefuses(t *testing.T) {
	id, _ := oid.Parse(someID)
	file := func(name string) object.TreeEntry {
		return object.TreeEntry{Mode: object.ModeFile, Name: name, ID: id}
	}
	for name, entries := range map[string][]object.TreeEntry{
		"empty name": {file("")}, "dot": {file(".")}, "dot dot": {file("..")}, "git": {file(".GIT")},
		"slash": {file("a/b")}, "nul": {file("a\x00b")},
		"mode":                    {{Mode: 0o100664, Name: "a", ID: id}},
		"no ID":                   {{Mode: object.ModeFile, Name: "a"}},
		"twice, not side by side": {file("a"), file("a.b"), {Mode: object.ModeTree, Name: "a", ID: id}},
	} {
		if _, err := object.EncodeTree(entries); !errors.Is(err, object.ErrSyntax) {
			t.Errorf("%s: %v, want ErrSyntax", name, err)
		}
	}
}

func FuzzParseCommit(f *testing.F) {
	f.Add([]byte("tree " + someID + "\nparent " + otherID + "\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\ngpgsig a\n b\n\nm"))
	f.Add([]byte("tree " + someID + "\nauthor A\ncommitter <>\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := object.ParseCommit(b)
		if err != nil {
			return
		}
		again, err := object.ParseCommit(c.Encode())
		if err != nil {
			t.Fatalf("%q is not read again: %v", c.Encode(), err)
		}
		if d := cmp.Diff(c, again); d != "" {
			t.Fatalf("read again it differs (-first +second):\n%s", d)
		}
	})
}

func FuzzParseTree(f *testing.F) {
	f.Add([]byte("100644 a\x00" + strings.Repeat("x", 20) + "40000 b\x00" + strings.Repeat("y", 20)))
	f.Add([]byte("040000 b\x00" + strings.Repeat("y", 20)))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := object.ParseTree(b)
		if err != nil {
			return
		}
		encoded, err := object.EncodeTree(entries)
		if err != nil {
			return // readable, and yet nothing that we would write
		}
		again, err := object.ParseTree(encoded)
		if err != nil || len(again) != len(entries) {
			t.Fatalf("%q is read again as %v (%v)", encoded, again, err)
		}
	})
}

func FuzzParseTagTarget(f *testing.F) {
	f.Add([]byte("object " + someID + "\ntype commit\ntag v1\ntagger A <a@b> 1 +0000\n\nm"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if id, typ, err := object.ParseTagTarget(b); err == nil && (!bytes.Contains(b, []byte(id.String())) || typ.String() == "") {
			t.Fatalf("%q names %s %s", b, typ, id)
		}
	})
}
