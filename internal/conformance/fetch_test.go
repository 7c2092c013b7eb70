package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refward/refward/internal/hosttest"
)

// commits is how many the history of the library has on master.
const commits = 30

// library is the repository that everybody only reads.
type library struct {
	source string // a checkout that has everything
}

// firstCommit is the time of the library's first commit; the others follow by the day.
const firstCommit = 1_700_000_000

// stock makes the repository "library": 30 commits a day apart, a file of 4 KiB and one in
// a folder changed by each, a side branch, tags of both kinds and a note.
func stock(t *testing.T, h *house) *library {
	t.Helper()
	h.Repository(t, "library")
	dir := filepath.Join(t.TempDir(), "library")
	git := func(args ...string) { hosttest.Git(t, h.dev, h.Dir, append([]string{"-C", dir}, args...)...) }
	hosttest.Git(t, h.dev, h.Dir, "init", "--quiet", dir)
	var b strings.Builder
	commit := func(branch string, i int, from, files string) {
		fmt.Fprintf(&b, "commit refs/heads/%s\nmark :%d\ncommitter A <a@example.com> %d +0000\ndata 2\nc\n%s%s\n", branch, i+1, firstCommit+i*86400, from, files)
	}
	file := func(name, content string) string {
		return fmt.Sprintf("M 644 inline %s\ndata %d\n%s\n", name, len(content), content)
	}
	for i := range commits {
		commit("master", i, "", file("file", strings.Repeat(fmt.Sprintf("line %d\n", i), 500))+file("dir/sub/small", fmt.Sprint(i)))
	}
	commit("side", commits, fmt.Sprintf("from :%d\n", commits-10), file("side", "side"))
	in := filepath.Join(dir, "stream")
	if err := os.WriteFile(in, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	git("-c", "alias.import=!git fast-import --quiet <stream", "import")
	if err := os.Remove(in); err != nil {
		t.Fatal(err)
	}
	git("reset", "--quiet", "--hard", "master")
	git("tag", "-a", "-m", "one", "v1", "master~20")
	git("tag", "light", "master~5")
	git("tag", "-a", "-m", "on a tag", "nested", "v1")
	git("notes", "add", "-m", "a note", "master")
	git("push", "--quiet", h.URL+"/v1/repos/library", "refs/heads/*", "refs/tags/*", "refs/notes/*")
	return &library{dir}
}

func TestFetch(t *testing.T) {
	h := newHouse(t)
	lib := stock(t, h)
	each(t, h, []item{
		{"clone", lib.clone},
		{"clone of nothing", lib.cloneOfNothing},
		{"mirror", lib.mirror},
		{"list refs", lib.listRefs},
		{"depth, deepen, unshallow", lib.depth},
		{"shallow since", lib.since},
		{"shallow exclude", lib.exclude},
		{"tags that come along", lib.tags},
		{"object ID", lib.objectID},
		{"filters", lib.filters},
		{"sparse", lib.sparse},
		{"filter refused", lib.filterRefused},
		{"histories apart", lib.apart},
		{"prune", lib.prune},
		{"notes", lib.notes},
		{"no such repository", lib.noSuchRepository},
	})
	for _, d := range h.doors() {
		if d.version == 2 {
			t.Run("server option/"+d.String(), func(t *testing.T) { lib.serverOption(t, d) })
		}
	}
}

// take clones the library through the door.
func (l *library) take(t *testing.T, d *door, args ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clone")
	d.git(t, d.Dir, append(append([]string{"clone", "--quiet"}, args...), d.url("library"), dir)...)
	return dir
}

// whole checks that a repository has the objects it should, and that they are sound.
func whole(t *testing.T, d *door, dir string) {
	t.Helper()
	d.git(t, dir, "fsck", "--full", "--strict", "--no-dangling")
}

func (l *library) clone(t *testing.T, d *door) {
	dir := l.take(t, d)
	whole(t, d, dir)
	equal(t, "the branch checked out", d.value(t, dir, "symbolic-ref", "HEAD"), "refs/heads/master")
	equal(t, "the remote's default branch", d.value(t, dir, "symbolic-ref", "refs/remotes/origin/HEAD"), "refs/remotes/origin/master")
	equal(t, "the tags", d.value(t, dir, "for-each-ref", "refs/tags"), d.value(t, l.source, "for-each-ref", "refs/tags"))
	equal(t, "all objects",
		d.value(t, dir, "rev-list", "--objects", "--no-object-names", "--branches", "--tags", "--remotes", "--count"),
		d.value(t, l.source, "rev-list", "--objects", "--no-object-names", "--branches", "--tags", "--count"))
	if out := d.git(t, dir, "fetch", "--verbose"); strings.Contains(out, "->") && !strings.Contains(out, "[up to date]") {
		t.Errorf("a second fetch brought something:\n%s", out)
	}
}

// A new repository has no default branch until the first push: a clone takes what the
// client is set to. With one, version 2 tells it while it is unborn.
func (l *library) cloneOfNothing(t *testing.T, d *door) {
	url, dir := d.create(t), filepath.Join(t.TempDir(), "clone")
	d.git(t, d.Dir, "clone", "--quiet", url, dir)
	equal(t, "refs", d.value(t, dir, "for-each-ref"), "")
	hosttest.Commit(t, d.dev, dir, "f", "first")
	d.git(t, dir, "push", "--quiet", "origin", "HEAD")
	d.git(t, dir, "fetch", "--quiet")
	equal(t, "the first push became the default branch", d.value(t, dir, "ls-remote", "--symref", "origin", "HEAD"),
		"ref: refs/heads/master\tHEAD\n"+d.value(t, dir, "rev-parse", "HEAD")+"\tHEAD")
}

func (l *library) mirror(t *testing.T, d *door) {
	dir := l.take(t, d, "--mirror")
	whole(t, d, dir)
	equal(t, "the refs", d.value(t, dir, "for-each-ref"), d.value(t, l.source, "for-each-ref"))
}

func (l *library) listRefs(t *testing.T, d *door) {
	url := d.url("library")
	want := d.value(t, l.source, "rev-parse", "master") + "\tHEAD\n" + d.value(t, l.source, "show-ref", "--dereference")
	got := d.value(t, d.Dir, "ls-remote", url)
	equal(t, "all refs", strings.ReplaceAll(got, "\t", " "), strings.ReplaceAll(want, "\t", " "))
	equal(t, "one branch", d.value(t, d.Dir, "ls-remote", "--heads", url, "side"), d.value(t, l.source, "rev-parse", "side")+"\trefs/heads/side")
	equal(t, "tags by pattern", fmt.Sprint(strings.Count(d.git(t, d.Dir, "ls-remote", "--tags", "--refs", url, "v*", "light"), "\n")), "2")
	if out := d.git(t, d.Dir, "ls-remote", "--symref", url, "HEAD"); !strings.Contains(out, "ref: refs/heads/master\tHEAD") {
		t.Errorf("HEAD is not told:\n%s", out)
	}
	d.git(t, d.Dir, "ls-remote", "--exit-code", url, "refs/heads/master")
	d.refused(t, d.Dir, nil, "ls-remote", "--exit-code", url, "refs/heads/nobody")
}

func (l *library) count(t *testing.T, d *door, dir, want string) {
	t.Helper()
	equal(t, "commits", d.value(t, dir, "rev-list", "--count", "HEAD"), want)
}

func (l *library) depth(t *testing.T, d *door) {
	dir := l.take(t, d, "--depth=3")
	l.count(t, d, dir, "3")
	d.git(t, dir, "fetch", "--quiet", "--depth=5")
	l.count(t, d, dir, "5")
	d.git(t, dir, "fetch", "--quiet", "--deepen=4")
	l.count(t, d, dir, "9")
	d.git(t, dir, "fetch", "--quiet", "--unshallow")
	l.count(t, d, dir, fmt.Sprint(commits))
	whole(t, d, dir)
	if _, err := os.Stat(filepath.Join(dir, ".git", "shallow")); err == nil {
		t.Error("the clone is shallow still")
	}
}

func (l *library) since(t *testing.T, d *door) {
	// Half a day before the twenty-first commit of thirty.
	dir := l.take(t, d, fmt.Sprintf("--shallow-since=@%d", firstCommit+20*86400-43200))
	l.count(t, d, dir, "10")
	d.git(t, dir, "fetch", "--quiet", fmt.Sprintf("--shallow-since=@%d", firstCommit+10*86400-43200))
	l.count(t, d, dir, "20")
	whole(t, d, dir)
	// What leaves no commit is told, and is no failure of the host's.
	d.refused(t, dir, []string{"no commits selected"}, "fetch", "--shallow-since=@4102444800")
	d.refused(t, dir, []string{"cannot be used together"}, "fetch", "--depth=1", fmt.Sprintf("--shallow-since=@%d", firstCommit))
}

func (l *library) exclude(t *testing.T, d *door) {
	dir := l.take(t, d, "--shallow-exclude=light")
	l.count(t, d, dir, "5")
	d.git(t, dir, "fetch", "--quiet", "--shallow-exclude=v1")
	l.count(t, d, dir, "20")
	d.refused(t, dir, nil, "fetch", "--shallow-exclude=nobody")
}

// An annotated tag comes with the branch that holds its commit, in the same answer.
func (l *library) tags(t *testing.T, d *door) {
	dir := filepath.Join(t.TempDir(), "few")
	d.git(t, d.Dir, "init", "--quiet", dir)
	d.git(t, dir, "remote", "add", "-t", "side", "origin", d.url("library"))
	d.git(t, dir, "fetch", "--quiet", "origin")
	equal(t, "tags that came along", d.value(t, dir, "tag"), "nested\nv1")
	whole(t, d, dir)
	without := l.take(t, d, "--no-tags", "--single-branch")
	equal(t, "tags of a clone without", d.value(t, without, "tag"), "")
}

func (l *library) objectID(t *testing.T, d *door) {
	commit := d.value(t, l.source, "rev-parse", "master~7")
	blob := d.value(t, l.source, "rev-parse", "master~7:dir/sub/small")
	dir := filepath.Join(t.TempDir(), "one")
	d.git(t, d.Dir, "init", "--quiet", dir)
	d.git(t, dir, "fetch", "--quiet", "--depth=1", d.url("library"), commit)
	equal(t, "what was fetched", d.value(t, dir, "rev-parse", "FETCH_HEAD"), commit)
	d.git(t, dir, "fetch", "--quiet", d.url("library"), blob)
	equal(t, "the blob", d.value(t, dir, "cat-file", "-p", blob), fmt.Sprint(commits-8))
	d.refused(t, dir, nil, "fetch", d.url("library"), strings.Repeat("ab", 20))
}

// missing counts the objects that a partial clone left at the host.
func missing(t *testing.T, d *door, dir string) string {
	t.Helper()
	return fmt.Sprint(strings.Count(d.git(t, dir, "rev-list", "--objects", "--missing=print", "--all"), "\n?"))
}

func (l *library) filters(t *testing.T, d *door) {
	// Each commit has two blobs of its own; those of the first answer are checked out.
	dir := l.take(t, d, "--filter=blob:none", "--no-checkout")
	if got := missing(t, d, dir); got == "0" {
		t.Error("blob:none left nothing out")
	}
	equal(t, "a blob fetched when needed", d.value(t, dir, "cat-file", "-p", "HEAD~3:dir/sub/small"), fmt.Sprint(commits-4))

	dir = l.take(t, d, "--filter=blob:limit=1k", "--no-checkout")
	equal(t, "a small blob is there", d.value(t, dir, "rev-list", "--objects", "--missing=print", "HEAD", "--", "dir/sub/small", ":^file"),
		d.value(t, l.source, "rev-list", "--objects", "HEAD", "--", "dir/sub/small", ":^file"))
	equal(t, "large blobs left out", missing(t, d, dir), fmt.Sprint(commits))

	dir = l.take(t, d, "--filter=tree:0", "--no-checkout")
	l.count(t, d, dir, fmt.Sprint(commits))
	d.git(t, dir, "checkout", "--quiet", "master")
	equal(t, "the checkout is clean", d.value(t, dir, "status", "--porcelain"), "")
	d.git(t, dir, "fetch", "--quiet", "--refetch", "--filter=blob:none")
}

func (l *library) sparse(t *testing.T, d *door) {
	dir := l.take(t, d, "--filter=blob:none", "--sparse")
	if _, err := os.Stat(filepath.Join(dir, "dir")); err == nil {
		t.Error("the folder was checked out at once")
	}
	d.git(t, dir, "sparse-checkout", "set", "dir/sub")
	equal(t, "a file of the folder", d.value(t, dir, "cat-file", "-p", ":dir/sub/small"), fmt.Sprint(commits-1))
	if _, err := os.Stat(filepath.Join(dir, "dir", "sub", "small")); err != nil {
		t.Error(err)
	}
}

// A filter that names a blob of patterns makes the host walk for the client.
func (l *library) filterRefused(t *testing.T, d *door) {
	id := d.value(t, l.source, "rev-parse", "master:file")
	d.refused(t, d.Dir, nil, "clone", "--no-checkout", "--filter=sparse:oid="+id, d.url("library"), filepath.Join(t.TempDir(), "clone"))
}

// apart: both sides have commits that the other has not.
func (l *library) apart(t *testing.T, d *door) {
	url, mine := d.create(t), l.take(t, d)
	d.git(t, mine, "push", "--quiet", url, "master")
	theirs := filepath.Join(t.TempDir(), "theirs")
	d.git(t, d.Dir, "clone", "--quiet", url, theirs)
	for i := range 3 {
		hosttest.Commit(t, d.dev, theirs, "theirs", fmt.Sprint(i))
		hosttest.Commit(t, d.dev, mine, "mine", fmt.Sprint(i))
	}
	d.git(t, theirs, "push", "--quiet", "origin", "HEAD")
	d.git(t, mine, "fetch", "--quiet", url, "master")
	equal(t, "the tip", d.value(t, mine, "rev-parse", "FETCH_HEAD"), d.value(t, theirs, "rev-parse", "HEAD"))
	d.git(t, mine, "merge", "--quiet", "-m", "both", "FETCH_HEAD")
	d.git(t, mine, "push", "--quiet", url, "master")
	d.git(t, theirs, "pull", "--quiet", "--ff-only")
	equal(t, "both agree", d.value(t, theirs, "rev-parse", "HEAD"), d.value(t, mine, "rev-parse", "HEAD"))
	whole(t, d, mine)
	whole(t, d, theirs)
}

func (l *library) prune(t *testing.T, d *door) {
	url, work := d.create(t), l.take(t, d)
	d.git(t, work, "push", "--quiet", url, "master", "master:refs/heads/old/one")
	dir := filepath.Join(t.TempDir(), "clone")
	d.git(t, d.Dir, "clone", "--quiet", url, dir)
	// What was a folder of branches becomes a branch.
	d.git(t, work, "push", "--quiet", url, ":refs/heads/old/one")
	d.git(t, work, "push", "--quiet", url, "master~1:refs/heads/old")
	d.git(t, dir, "fetch", "--quiet", "--prune")
	equal(t, "branches", d.value(t, dir, "for-each-ref", "--format=%(refname)", "refs/remotes/origin/old*"), "refs/remotes/origin/old")
}

func (l *library) notes(t *testing.T, d *door) {
	dir := l.take(t, d)
	d.git(t, dir, "fetch", "--quiet", "origin", "refs/notes/*:refs/notes/*")
	equal(t, "the note", d.value(t, dir, "notes", "show", "master"), "a note")
}

// Server options are part of version 2, and what an older one does with them is the
// client's affair. The host has none, and takes any.
func (l *library) serverOption(t *testing.T, d *door) {
	d.git(t, d.Dir, "ls-remote", "-o", "x=y", d.url("library"))
	dir := filepath.Join(t.TempDir(), "clone")
	d.git(t, d.Dir, "clone", "--quiet", "--server-option=x=y", d.url("library"), dir)
}

func (l *library) noSuchRepository(t *testing.T, d *door) {
	d.refused(t, d.Dir, []string{"not found"}, "clone", d.url("nobody"), filepath.Join(t.TempDir(), "clone"))
}
