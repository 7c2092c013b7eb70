package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refward/refward/internal/hosttest"
)

func TestPush(t *testing.T) {
	each(t, newHouse(t), []item{
		{"branches and tags", pushKinds},
		{"force with lease", pushLease},
		{"atomic", pushAtomic},
		{"denied ref", pushDenied},
		{"push options", pushOptions},
		{"mirror", pushMirror},
		{"notes", pushNotes},
		{"from a shallow clone", pushShallow},
		{"from a partial clone", pushPartial},
		{"thin pack", pushThin},
		{"signed if asked", pushSigned},
		{"default branch", pushDefaultBranch},
		{"names of refs", pushNames},
		{"folders and branches", pushFolders},
		{"raced", pushRaced},
		{"dry run", pushDryRun},
		{"large", pushLarge},
	})
}

// work makes a checkout with one commit whose origin is a new repository.
func (d *door) work(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work")
	d.git(t, d.Dir, "init", "--quiet", dir)
	d.git(t, dir, "remote", "add", "origin", d.create(t))
	hosttest.Commit(t, d.dev, dir, "f", "one")
	return dir
}

func (d *door) originRefs(t *testing.T, dir string) map[string]string {
	t.Helper()
	return d.refs(t, d.value(t, dir, "remote", "get-url", "origin"))
}

// has checks one ref of the origin. An empty ID: it is not there.
func (d *door) has(t *testing.T, dir, ref, id string) {
	t.Helper()
	equal(t, ref, d.originRefs(t, dir)[ref], id)
}

func pushKinds(t *testing.T, d *door) {
	dir := d.work(t)
	d.git(t, dir, "tag", "light")
	d.git(t, dir, "tag", "-a", "-m", "x", "v1")
	first := d.value(t, dir, "rev-parse", "HEAD")
	d.git(t, dir, "push", "--quiet", "origin", "HEAD", "HEAD:refs/heads/topic", "light", "v1")
	d.has(t, dir, "refs/tags/v1", d.value(t, dir, "rev-parse", "v1"))
	d.has(t, dir, "refs/tags/light", first)

	hosttest.Commit(t, d.dev, dir, "f", "two")
	second := d.value(t, dir, "rev-parse", "HEAD")
	d.git(t, dir, "push", "--quiet", "origin", "HEAD") // fast-forward
	d.has(t, dir, "refs/heads/master", second)
	if out := d.git(t, dir, "push", "origin", "HEAD"); !strings.Contains(out, "Everything up-to-date") {
		t.Errorf("nothing to push:\n%s", out)
	}
	d.git(t, dir, "reset", "--quiet", "--hard", first)
	hosttest.Commit(t, d.dev, dir, "f", "another two")
	d.refused(t, dir, []string{"non-fast-forward"}, "push", "origin", "master")
	d.git(t, dir, "push", "--quiet", "--force", "origin", "master")
	d.has(t, dir, "refs/heads/master", d.value(t, dir, "rev-parse", "HEAD"))
	d.git(t, dir, "push", "--quiet", "origin", ":topic", ":refs/tags/light")
	d.has(t, dir, "refs/heads/topic", "")
	d.has(t, dir, "refs/tags/light", "")
}

func pushLease(t *testing.T, d *door) {
	dir := d.work(t)
	d.git(t, dir, "push", "--quiet", "origin", "master")
	old := d.value(t, dir, "rev-parse", "HEAD")
	d.git(t, dir, "commit", "--quiet", "--amend", "-m", "another")
	d.refused(t, dir, []string{"stale info"}, "push", "--force-with-lease=master:"+d.value(t, dir, "rev-parse", "HEAD"), "origin", "master")
	d.has(t, dir, "refs/heads/master", old)
	d.git(t, dir, "push", "--quiet", "--force-with-lease=master:"+old, "origin", "master")
	d.has(t, dir, "refs/heads/master", d.value(t, dir, "rev-parse", "HEAD"))
}

func pushAtomic(t *testing.T, d *door) {
	dir := d.work(t)
	d.refused(t, dir, []string{"remote rejected", "denied"}, "push", "--atomic", "origin", "HEAD:refs/heads/a", "HEAD:refs/heads/denied", "HEAD:refs/heads/b")
	equal(t, "refs", fmt.Sprint(len(d.originRefs(t, dir))), "0")
	d.git(t, dir, "push", "--quiet", "--atomic", "origin", "HEAD:refs/heads/a", "HEAD:refs/heads/b")
	d.has(t, dir, "refs/heads/b", d.value(t, dir, "rev-parse", "HEAD"))
}

func pushDenied(t *testing.T, d *door) {
	dir := d.work(t)
	d.refused(t, dir, []string{"KeepOut", "[remote rejected] HEAD -> denied", "HEAD -> allowed"}, "push", "origin", "HEAD:refs/heads/denied", "HEAD:refs/heads/allowed")
	d.has(t, dir, "refs/heads/denied", "")
	d.has(t, dir, "refs/heads/allowed", d.value(t, dir, "rev-parse", "HEAD"))
}

func pushOptions(t *testing.T, d *door) {
	dir := d.work(t)
	d.git(t, dir, "push", "--quiet", "-o", "ci.skip", "--push-option=a=b", "origin", "HEAD")
	d.has(t, dir, "refs/heads/master", d.value(t, dir, "rev-parse", "HEAD"))
	d.refused(t, dir, nil, append(append([]string{"push"}, strings.Split(strings.Repeat("-o x ", 101), " ")[:202]...), "origin", "HEAD:refs/heads/other")...)
	d.has(t, dir, "refs/heads/other", "")
}

// A mirror brings all refs and takes away what is gone.
func pushMirror(t *testing.T, d *door) {
	work, dir := d.work(t), filepath.Join(t.TempDir(), "mirror")
	d.git(t, work, "branch", "topic")
	d.git(t, work, "tag", "-a", "-m", "x", "v1")
	d.git(t, work, "clone", "--quiet", "--mirror", ".", dir)
	d.git(t, dir, "remote", "set-url", "origin", d.value(t, work, "remote", "get-url", "origin"))
	d.git(t, dir, "push", "--quiet", "--mirror", "origin")
	d.git(t, dir, "branch", "--quiet", "-D", "topic")
	d.git(t, dir, "branch", "second")
	d.git(t, dir, "push", "--quiet", "--mirror", "origin")
	want := d.value(t, dir, "for-each-ref")
	back := filepath.Join(t.TempDir(), "back")
	d.git(t, dir, "clone", "--quiet", "--mirror", d.value(t, dir, "remote", "get-url", "origin"), back)
	equal(t, "refs", d.value(t, back, "for-each-ref"), want)
}

func pushNotes(t *testing.T, d *door) {
	dir := d.work(t)
	d.git(t, dir, "notes", "add", "-m", "a note")
	d.git(t, dir, "push", "--quiet", "origin", "HEAD", "refs/notes/*:refs/notes/*")
	d.has(t, dir, "refs/notes/commits", d.value(t, dir, "rev-parse", "refs/notes/commits"))
}

func pushShallow(t *testing.T, d *door) {
	dir := d.work(t)
	for i := range 5 {
		hosttest.Commit(t, d.dev, dir, "f", fmt.Sprint("more", i))
	}
	d.git(t, dir, "push", "--quiet", "origin", "HEAD")
	shallow := filepath.Join(t.TempDir(), "shallow")
	d.git(t, dir, "clone", "--quiet", "--depth=1", d.value(t, dir, "remote", "get-url", "origin"), shallow)
	hosttest.Commit(t, d.dev, shallow, "g", "from a shallow clone")
	d.git(t, shallow, "push", "--quiet", "origin", "HEAD")
	d.git(t, dir, "pull", "--quiet", "--ff-only", "origin", "master")
	whole(t, d, dir)
	// A history that ends at the boundary, into a repository that has nothing of it.
	d.refused(t, shallow, []string{"remote rejected"}, "push", d.create(t, "second"), "HEAD")
}

func pushPartial(t *testing.T, d *door) {
	dir := d.work(t)
	hosttest.Commit(t, d.dev, dir, "deep/er/file", "content")
	d.git(t, dir, "push", "--quiet", "origin", "HEAD")
	partial := filepath.Join(t.TempDir(), "partial")
	d.git(t, dir, "clone", "--quiet", "--filter=blob:none", "--sparse", d.value(t, dir, "remote", "get-url", "origin"), partial)
	hosttest.Commit(t, d.dev, partial, "f", "from a partial clone")
	d.git(t, partial, "push", "--quiet", "origin", "HEAD")
	d.git(t, dir, "pull", "--quiet", "--ff-only", "origin", "master")
	whole(t, d, dir)
}

// A thin pack has deltas against objects that only the host has.
func pushThin(t *testing.T, d *door) {
	dir := d.work(t)
	text := strings.Repeat("a line that repeats itself\n", 4000)
	hosttest.Commit(t, d.dev, dir, "f", text)
	d.git(t, dir, "push", "--quiet", "origin", "HEAD")
	hosttest.Commit(t, d.dev, dir, "f", text+"x")
	d.git(t, dir, "push", "--quiet", "--thin", "origin", "HEAD")
	hosttest.Commit(t, d.dev, dir, "f", text+"y")
	d.git(t, dir, "push", "--quiet", "--no-thin", "origin", "HEAD")
	clone := filepath.Join(t.TempDir(), "clone")
	d.git(t, dir, "clone", "--quiet", d.value(t, dir, "remote", "get-url", "origin"), clone)
	whole(t, d, clone)
	equal(t, "the file", d.git(t, clone, "cat-file", "-p", "HEAD:f"), text+"y")
}

// The host takes no push certificates, and a client that would give one if asked is served.
func pushSigned(t *testing.T, d *door) {
	dir := d.work(t)
	d.git(t, dir, "push", "--quiet", "--signed=if-asked", "origin", "HEAD")
	d.refused(t, dir, []string{"does not support --signed"}, "push", "--signed", "origin", "HEAD:refs/heads/other")
}

func pushDefaultBranch(t *testing.T, d *door) {
	dir := d.work(t)
	d.git(t, dir, "push", "--quiet", "origin", "HEAD", "HEAD:refs/heads/topic")
	d.refused(t, dir, []string{"[remote rejected] master", "default branch"}, "push", "origin", ":master")
	d.has(t, dir, "refs/heads/master", d.value(t, dir, "rev-parse", "HEAD"))
}

func pushNames(t *testing.T, d *door) {
	dir := d.work(t)
	d.refused(t, dir, []string{"remote rejected"}, "push", "origin", "HEAD:refs/heads/"+strings.Repeat("ab", 20))
	d.refused(t, dir, []string{"remote rejected"}, "push", "origin", "HEAD:refs/heads/"+strings.Repeat("a", 257))
	d.refused(t, dir, []string{"remote rejected"}, "push", "origin", "HEAD:refs/pull/1/head")
	equal(t, "refs", fmt.Sprint(len(d.originRefs(t, dir))), "0")
	d.git(t, dir, "push", "--quiet", "origin", "HEAD:refs/heads/ünïcødé/分支", "HEAD:refs/heads/"+strings.Repeat("ab", 20)+"c")
	d.has(t, dir, "refs/heads/ünïcødé/分支", d.value(t, dir, "rev-parse", "HEAD"))
}

func pushFolders(t *testing.T, d *door) {
	dir := d.work(t)
	d.git(t, dir, "push", "--quiet", "origin", "HEAD") // the default branch, which cannot be deleted
	d.git(t, dir, "push", "--quiet", "origin", "HEAD:refs/heads/a/b")
	d.refused(t, dir, []string{"remote rejected"}, "push", "origin", "HEAD:refs/heads/a")
	d.refused(t, dir, []string{"remote rejected"}, "push", "origin", "HEAD:refs/heads/a/b/c")
	d.refused(t, dir, []string{"remote rejected"}, "push", "origin", "HEAD:refs/heads/x", "HEAD:refs/heads/x/y")
	d.git(t, dir, "push", "--quiet", "origin", "HEAD:refs/heads/a", ":refs/heads/a/b")
	d.has(t, dir, "refs/heads/a", d.value(t, dir, "rev-parse", "HEAD"))
}

// Another push came between what the client was told and what it sends: the hook of the
// client runs at just that moment.
func pushRaced(t *testing.T, d *door) {
	dir := d.work(t)
	d.git(t, dir, "push", "--quiet", "origin", "HEAD")
	hosttest.Commit(t, d.dev, dir, "f", "theirs")
	theirs := d.value(t, dir, "rev-parse", "HEAD")
	d.git(t, dir, "reset", "--quiet", "--hard", "HEAD~1")
	hosttest.Commit(t, d.dev, dir, "f", "mine")
	hook := "#!/bin/sh\nunset GIT_DIR\nexec git push --quiet --no-verify origin " + theirs + ":refs/heads/master\n"
	if err := os.WriteFile(filepath.Join(dir, ".git", "hooks", "pre-push"), []byte(hook), 0o700); err != nil {
		t.Fatal(err)
	}
	d.refused(t, dir, []string{"rejected", "HEAD -> master (fetch first)"}, "push", "origin", "HEAD")
	d.has(t, dir, "refs/heads/master", theirs)
}

func pushDryRun(t *testing.T, d *door) {
	dir := d.work(t)
	d.git(t, dir, "push", "--quiet", "--dry-run", "origin", "HEAD")
	equal(t, "refs", fmt.Sprint(len(d.originRefs(t, dir))), "0")
}

// A pack larger than git's buffer goes over HTTP in chunks, after a probe.
func pushLarge(t *testing.T, d *door) {
	dir := d.work(t)
	hosttest.Commit(t, d.dev, dir, "noise", hosttest.Noise(3<<20))
	d.git(t, dir, "-c", "http.postBuffer=65536", "push", "--quiet", "origin", "HEAD")
	clone := filepath.Join(t.TempDir(), "clone")
	d.git(t, dir, "clone", "--quiet", d.value(t, dir, "remote", "get-url", "origin"), clone)
	whole(t, d, clone)
}
