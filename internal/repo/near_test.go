package repo_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/repo"
)

// beyondNear is a size of which a text that cannot be compressed is not sent without git.
const beyondNear = 1_100_000

// long makes a history of so many commits, each of one line more in one of some files.
func long(t *testing.T, commits int) (r *gittest.Repo, tip oid.ID) {
	t.Helper()
	r = gittest.Init(t)
	var b strings.Builder
	for i := range commits {
		fmt.Fprintf(&b, "commit refs/heads/master\ncommitter A <a@b> %d +0000\ndata 2\nm\n", 1_700_000_000+i)
		text := fmt.Sprintf("%x\n%s", randomText(3000+i%7), strings.Repeat(fmt.Sprintln("line", i), 3))
		fmt.Fprintf(&b, "M 100644 inline dir%d/file%d\ndata %d\n%s\n", i%3, i%7, len(text), text)
	}
	r.Pipe([]byte(b.String()), "fast-import", "--quiet")
	r.Git("reset", "--quiet", "--hard", "master")
	return r, r.ID("master")
}

// wantPacked asks for a pack, and checks that it is made by these processes and that what
// it brings is what git would bring.
func wantPacked(t *testing.T, h *host, r *gittest.Repo, ran func() []string, want, have oid.ID, processes ...string) []byte {
	t.Helper()
	lines := []string{"no-progress", "ofs-delta", "thin-pack", "want " + want.String()}
	revs := want.String()
	client := gittest.Init(t)
	if !have.IsZero() {
		lines = append(lines, "have "+have.String())
		revs += " ^" + have.String()
		client.Git("fetch", "--quiet", r.Dir, have.String())
	}
	ran()
	data, _ := packOf(t, h.ask(t, h.snapshot(), 2, fetchRequest(append(lines, "done")...)))
	got := slices.DeleteFunc(ran(), func(name string) bool { return name == "cat-file" })
	if !slices.Equal(got, processes) {
		t.Errorf("ran %q, want %q", got, processes)
	}
	listed := strings.Fields(r.Git(append([]string{"rev-list", "--objects", "--no-object-names"}, strings.Fields(revs)...)...))
	if n := int(data[8])<<24 | int(data[9])<<16 | int(data[10])<<8 | int(data[11]); n != len(listed) {
		t.Errorf("the pack has %d objects, want %d", n, len(listed))
	}
	client.Pipe(data, "index-pack", "--stdin", "--fix-thin", "--strict")
	if checked := client.Pipe([]byte(strings.Join(listed, "\n")), "cat-file", "--batch-check"); bytes.Contains(checked, []byte("missing")) {
		t.Errorf("missing:\n%s", checked)
	}
	return data
}

// TestNear: little is packed without git, and much by git, with the same objects.
func TestNear(t *testing.T) {
	change, ran := counted(t)
	h := newHost(t, change)
	r, tip := long(t, 400)
	h.push(t, r.Pack("master"), master(tip))
	at := func(back int) oid.ID { return r.ID(fmt.Sprintf("master~%d", back)) }

	wantPacked(t, h, r, ran, tip, oid.Zero, "pack-objects")
	wantPacked(t, h, r, ran, tip, at(1))
	wantPacked(t, h, r, ran, tip, at(30))
	wantPacked(t, h, r, ran, at(390), oid.Zero, "pack-objects") // a clone of much, though little is wanted
	wantPacked(t, h, r, ran, tip, at(390), "pack-objects")

	// What came later, in a pack of its own, is a delta of what was there: it is sent as one.
	text := fmt.Sprintf("%x", randomText(50_000))
	one := r.Commit("large", text)
	h.push(t, r.Pack("master", "^"+tip.String()), master(one))
	two := r.Commit("large", text+"and more\n")
	h.push(t, r.Pack("master", "^"+one.String()), master(two))
	if data := wantPacked(t, h, r, ran, two, one); len(data) > 2000 {
		t.Errorf("the pack has %d bytes", len(data))
	}
	if data := wantPacked(t, h, r, ran, two, tip); len(data) > 60_000 {
		t.Errorf("the pack has %d bytes", len(data))
	}
	// Too much of it.
	three := r.Commit("huge", randomText(beyondNear))
	h.push(t, r.Pack("master", "^"+two.String()), master(three))
	wantPacked(t, h, r, ran, three, two, "pack-objects")
	// A folder that another commit had, and a merge of a branch that began far back.
	r.Git("mv", "dir0", "moved")
	r.Git("commit", "--quiet", "-m", "move")
	r.Git("checkout", "--quiet", "-b", "side", tip.String()+"~200")
	r.Commit("side", "s")
	r.Git("checkout", "--quiet", "master")
	r.Git("merge", "--quiet", "-m", "merge", "side")
	four := r.ID("master")
	h.push(t, r.Pack("master", "^"+three.String()), master(four))
	data := wantPacked(t, h, r, ran, four, three)
	if bytes.Contains(data, []byte("huge")) || len(data) > 10_000 {
		t.Errorf("the pack has %d bytes", len(data))
	}
}

// TestNearWantsOfEachKind: tags are followed, and what leads to no commit is git's to
// answer.
func TestNearWantsOfEachKind(t *testing.T) {
	change, ran := counted(t)
	h := newHost(t, change)
	r := gittest.Init(t)
	one := r.Commit("d/f", "one")
	r.Git("tag", "-a", "-m", "t", "v1")
	r.Git("tag", "-a", "-m", "t", "v1v1", "v1")
	r.Git("tag", "-a", "-m", "t", "tree", "master:d")
	h.push(t, r.Pack("master", "v1v1", "tree"), master(one),
		repo.Ref{Name: "refs/tags/v1", OID: r.ID("v1"), Peeled: one},
		repo.Ref{Name: "refs/tags/tree", OID: r.ID("tree"), Peeled: r.ID("master:d")})
	wantPacked(t, h, r, ran, r.ID("v1v1"), oid.Zero)
	wantPacked(t, h, r, ran, r.ID("v1"), one)
	wantPacked(t, h, r, ran, r.ID("tree"), oid.Zero, "pack-objects")
	wantPacked(t, h, r, ran, r.ID("master:d/f"), oid.Zero, "pack-objects")
}
