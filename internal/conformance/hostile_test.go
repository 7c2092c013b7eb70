package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hostile are trees that harm whoever checks them out, and what the host says of them.
// The names are those of transfer.fsckObjects.
var hostile = []struct {
	name, mode, entry string
	reason            string
}{
	{"git folder", "40000", ".git", "hasDotgit"},
	{"git folder in capitals", "40000", ".GIT", "hasDotgit"},
	{"git folder on NTFS", "40000", "git~1", "hasDotgit"},
	{"git folder with a stream on NTFS", "40000", ".git::$INDEX_ALLOCATION", "hasDotgit"},
	{"git folder with a character that HFS ignores", "40000", ".g\u200cit", "hasDotgit"},
	{"parent folder", "40000", "..", "hasDotdot"},
	{"same folder", "40000", ".", "hasDot"},
	{"path as a name", "100644", "a/b", "fullPathname"},
	{"link called .gitmodules", "120000", ".gitmodules", "gitmodulesSymlink"},
}

// TestHostile pushes what a hostile client can make with git itself. Every object is
// refused in quarantine, with its reason, and nothing of it can be fetched afterwards.
func TestHostile(t *testing.T) {
	h := newHouse(t)
	for _, d := range []*door{{h, "http", 2}, {h, "ssh", 0}} {
		for _, c := range hostile {
			t.Run(c.name+"/"+d.String(), func(t *testing.T) {
				t.Parallel()
				d.refuses(t, c.reason, func(t *testing.T, dir string) string {
					blob := d.value(t, dir, "rev-parse", "HEAD:f")
					id := blob
					if c.mode == "40000" {
						id = d.value(t, dir, "rev-parse", "HEAD^{tree}")
					}
					return d.tree(t, dir, c.mode, c.entry, id)
				})
			})
		}
		t.Run("submodule with an option as its URL/"+d.String(), func(t *testing.T) {
			t.Parallel()
			d.refuses(t, "gitmodulesUrl", func(t *testing.T, dir string) string {
				return d.modules(t, dir, "[submodule \"x\"]\n\tpath = x\n\turl = --upload-pack=evil\n")
			})
		})
		t.Run("submodule with a path as its name/"+d.String(), func(t *testing.T) {
			t.Parallel()
			d.refuses(t, "gitmodulesName", func(t *testing.T, dir string) string {
				return d.modules(t, dir, "[submodule \"../../x\"]\n\tpath = x\n\turl = https://example.com/x\n")
			})
		})
	}
}

// refuses pushes a commit with the tree that make returns, whose name the host must
// refuse with a reason.
func (d *door) refuses(t *testing.T, reason string, make func(t *testing.T, dir string) string) {
	t.Helper()
	dir := d.work(t)
	d.git(t, dir, "push", "--quiet", "origin", "HEAD")
	before := d.originRefs(t, dir)
	commit := d.value(t, dir, "commit-tree", "-m", "hostile", "-p", "HEAD", make(t, dir))
	d.refused(t, dir, []string{"remote rejected", reason}, "push", "origin", commit+":refs/heads/hostile")
	equal(t, "refs", fmt.Sprint(d.originRefs(t, dir)), fmt.Sprint(before))
	d.refused(t, dir, nil, "fetch", "--refetch", "origin", commit)
	d.git(t, dir, "push", "--quiet", "origin", "HEAD:refs/heads/good") // and the next push works
}

// tree writes a tree with one entry that git would not make by itself.
func (d *door) tree(t *testing.T, dir, mode, name, id string) string {
	t.Helper()
	raw := []byte(mode + " " + name + "\x00")
	for i := 0; i < len(id); i += 2 {
		var b byte
		if _, err := fmt.Sscanf(id[i:i+2], "%02x", &b); err != nil {
			t.Fatal(err)
		}
		raw = append(raw, b)
	}
	file := filepath.Join(t.TempDir(), "tree")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return d.value(t, dir, "hash-object", "-w", "-t", "tree", "--literally", file)
}

// modules writes a tree with a .gitmodules.
func (d *door) modules(t *testing.T, dir, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "modules")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	blob := d.value(t, dir, "hash-object", "-w", "--no-filters", file)
	d.git(t, dir, "update-index", "--add", "--cacheinfo", "100644,"+blob+",.gitmodules", "--cacheinfo", "160000,"+strings.Repeat("ab", 20)+",x")
	return d.value(t, dir, "write-tree")
}
