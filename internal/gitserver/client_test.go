package gitserver

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/authz"
	"github.com/refward/refward/internal/git/refname"
)

// history imports n commits into a bare repository, quickly.
func history(t testing.TB, bare string, n int) {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "commit refs/heads/master\ncommitter A <a@example.com> %d +0000\ndata 1\nx\nM 644 inline file\ndata %d\n%d\n", 1700000000+i, len(fmt.Sprint(i)), i)
	}
	if out, err := tryGit(t, bare, strings.NewReader(b.String()), "fast-import", "--quiet"); err != nil {
		t.Fatal(out)
	}
}

func TestShallowAndPartial(t *testing.T) {
	versions(t, func(t *testing.T, v string) {
		d := newDoor(t, Limits{})
		history(t, d.host.create("app"), 20)
		dir := t.TempDir()
		shallow, partial := filepath.Join(dir, "shallow"), filepath.Join(dir, "partial")
		git(t, dir, "-c", v, "clone", "--quiet", "--depth=3", d.url("app"), shallow)
		git(t, shallow, "-c", v, "fetch", "--quiet", "--deepen=4")
		if got := strings.TrimSpace(git(t, shallow, "rev-list", "--count", "HEAD")); got != "7" {
			t.Errorf("%s commits after deepening, want 7", got)
		}
		// A push from a shallow clone tells its boundary.
		commit(t, shallow, "new", "new")
		git(t, shallow, "-c", v, "push", "--quiet", "origin", "HEAD:refs/heads/shallow")
		git(t, shallow, "-c", v, "fetch", "--quiet", "--unshallow")
		git(t, shallow, "fsck", "--strict")

		git(t, dir, "-c", v, "clone", "--quiet", "--filter=blob:none", d.url("app"), partial)
		missing := git(t, partial, "rev-list", "--objects", "--missing=print", "--all")
		if got := strings.Count(missing, "?"); got != 20 { // of 21, all but the file checked out
			t.Errorf("%d objects missing in the partial clone, want 20", got)
		}
		if got := git(t, partial, "-c", v, "cat-file", "-p", "HEAD~5:file"); got != "14" {
			t.Errorf("a blob fetched when needed: %q, want 14", got)
		}
		if d.log.Len() > 0 {
			t.Errorf("logged:\n%s", d.log)
		}
	})
}

func TestPushKinds(t *testing.T) {
	d := newDoor(t, Limits{})
	bare := d.host.create("app")
	dir := d.work(t, "app")
	commit(t, dir, "a", "a")
	git(t, dir, "push", "--quiet", "origin", "master", "master~1:refs/heads/old", "master:refs/tags/light")
	refs := func() []string {
		return strings.Fields(git(t, bare, "for-each-ref", "--format=%(refname)"))
	}

	git(t, dir, "push", "--quiet", "origin", ":old", ":refs/tags/light")
	if diff := cmp.Diff([]string{"refs/heads/master"}, refs()); diff != "" {
		t.Errorf("after the deletions (-want +got):\n%s", diff)
	}

	// A lease on a value that the ref no longer has, then one on what it has.
	git(t, dir, "reset", "--quiet", "--hard", "HEAD~1")
	forced := commit(t, dir, "b", "b")
	if out, err := tryGit(t, dir, nil, "push", "--force-with-lease=master:"+forced, "origin", "master"); err == nil {
		t.Errorf("a stale lease was honoured:\n%s", out)
	}
	git(t, dir, "push", "--quiet", "--force-with-lease", "origin", "master")
	if got := strings.TrimSpace(git(t, bare, "rev-parse", "master")); got != forced {
		t.Errorf("master = %s, want %s", got, forced)
	}

	git(t, dir, "push", "--quiet", "-o", "ci.skip", "--push-option=a=b", "--atomic", "origin", "master:refs/heads/with-options")
	last := d.host.pushed[len(d.host.pushed)-1]
	if diff := cmp.Diff([]string{"ci.skip", "a=b"}, last.Options); diff != "" || !last.Atomic {
		t.Errorf("options (-want +got), atomic %v:\n%s", last.Atomic, diff)
	}

	for _, how := range []string{"--quiet", "--progress"} {
		out, err := tryGit(t, dir, nil, "push", how, "origin", "master:refs/heads/heard"+how)
		if err != nil || strings.Contains(out, "remote: Validating") != (how == "--progress") {
			t.Errorf("push %s: %v\n%s", how, err, out)
		}
		git(t, dir, "push", "--quiet", "origin", ":refs/heads/heard"+how)
	}

	git(t, dir, "tag", "-a", "-m", "one", "v1")
	git(t, dir, "branch", "topic")
	git(t, dir, "push", "--quiet", "--mirror", "origin")
	if diff := cmp.Diff([]string{"refs/heads/master", "refs/heads/topic", "refs/remotes/origin/master", "refs/remotes/origin/with-options", "refs/tags/v1"}, refs()); diff != "" {
		t.Errorf("after the mirror (-want +got):\n%s", diff)
	}
	mirror := filepath.Join(t.TempDir(), "mirror")
	git(t, dir, "clone", "--quiet", "--mirror", d.url("app"), mirror)
	if diff := cmp.Diff(git(t, bare, "for-each-ref"), git(t, mirror, "for-each-ref")); diff != "" {
		t.Errorf("the mirror (-want +got):\n%s", diff)
	}

	// A remote line for every refused ref of a large push, also when it only deletes.
	d.host.denied = func(authz.Caller, refname.Name) bool { return true }
	out, err := tryGit(t, dir, nil, "push", "origin", ":master", ":topic")
	if err == nil || strings.Count(out, "remote: Policy DenyMaster") != 2 || strings.Count(out, "[remote rejected]") != 2 {
		t.Errorf("refused deletions: %v\n%s", err, out)
	}
}

func TestManyRefs(t *testing.T) {
	const n = 1000
	d := newDoor(t, Limits{})
	bare := d.host.create("app")
	history(t, bare, 1)
	head := strings.TrimSpace(git(t, bare, "rev-parse", "master"))
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "create refs/tags/v%d %s\n", i, head)
	}
	if out, err := tryGit(t, bare, strings.NewReader(b.String()), "update-ref", "--stdin"); err != nil {
		t.Fatal(out)
	}
	want := git(t, bare, "ls-remote", bare)
	versions(t, func(t *testing.T, v string) {
		if diff := cmp.Diff(want, git(t, bare, "-c", v, "ls-remote", d.url("app"))); diff != "" {
			t.Errorf("ls-remote over the door differs (-git +door):\n%s", diff)
		}
	})
	t.Run("prefixes", func(t *testing.T) {
		out := git(t, bare, "-c", "protocol.version=2", "ls-remote", "--tags", d.url("app"), "v1", "v22")
		if got := strings.Count(out, "\n"); got != 2 {
			t.Errorf("%d refs for two patterns:\n%s", got, out)
		}
	})
	t.Run("push", func(t *testing.T) {
		const n = 200
		dir := t.TempDir()
		git(t, dir, "clone", "--quiet", d.url("app"), "clone")
		clone := filepath.Join(dir, "clone")
		var refs strings.Builder
		for i := range n {
			fmt.Fprintf(&refs, "create refs/heads/b%d %s\n", i, head)
		}
		if out, err := tryGit(t, clone, strings.NewReader(refs.String()), "update-ref", "--stdin"); err != nil {
			t.Fatal(out)
		}
		d.host.denied = func(authz.Caller, refname.Name) bool { return true }
		out, err := tryGit(t, clone, nil, "push", "origin", "refs/heads/b*:refs/heads/b*")
		if got := strings.Count(out, "[remote rejected]"); err == nil || got != n {
			t.Errorf("%d refs rejected: %v", got, err)
		}
	})
}

// A client far ahead names so many commits that git compresses its request.
func TestLargeNegotiation(t *testing.T) {
	versions(t, func(t *testing.T, v string) {
		d := newDoor(t, Limits{})
		bare := d.host.create("app")
		history(t, bare, 50)
		clone := filepath.Join(t.TempDir(), "clone")
		git(t, t.TempDir(), "-c", v, "clone", "--quiet", d.url("app"), clone)
		var b strings.Builder
		fmt.Fprintf(&b, "reset refs/heads/mine\nfrom %s\n", strings.TrimSpace(git(t, bare, "rev-parse", "master~40")))
		for i := range 300 {
			fmt.Fprintf(&b, "commit refs/heads/mine\ncommitter A <a@example.com> %d +0000\ndata 1\nx\nM 644 inline m\ndata 4\n%04d\n", 1800000000+i, i)
		}
		if out, err := tryGit(t, clone, strings.NewReader(b.String()), "fast-import", "--quiet"); err != nil {
			t.Fatal(out)
		}
		work := d.work(t, "app")
		git(t, work, "fetch", "--quiet", "origin")
		git(t, work, "reset", "--quiet", "--hard", "origin/master")
		last := commit(t, work, "new", "new")
		git(t, work, "push", "--quiet", "origin", "master")
		git(t, clone, "-c", v, "fetch", "--quiet", "origin")
		if got := strings.TrimSpace(git(t, clone, "rev-parse", "origin/master")); got != last {
			t.Errorf("fetched %s, want %s", got, last)
		}
		if d.log.Len() > 0 {
			t.Errorf("logged:\n%s", d.log)
		}
	})
}
