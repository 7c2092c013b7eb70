package repo_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// TestOrdinaryPushes: what people push every day is taken in without a process, and so
// it is brought into an empty cache.
func TestOrdinaryPushes(t *testing.T) {
	change, ran := counting(t)
	h, r := newHost(t, change), gittest.Init(t)
	text := strings.Repeat("a line that makes a good delta\n", 300)
	last := ""
	for _, step := range []struct {
		name string
		do   func()
		refs []string
	}{
		{"first", func() { r.Commit("dir/f", text) }, nil},
		{"change", func() { r.Commit("dir/f", text+"more\n") }, nil},
		{"new branch", func() { r.Git("checkout", "-q", "-b", "side"); r.Commit("side/x", text+"aside\n") }, []string{"refs/heads/side"}},
		{"merge", func() {
			r.Git("checkout", "-q", "master")
			r.Commit("g", "2")
			r.Git("merge", "-q", "--no-edit", "side")
		}, nil},
		{"annotated tag", func() { r.Git("tag", "-a", "-m", "t", "v1.0") }, []string{"refs/tags/v1.0"}},
		{"tag of a tag", func() { r.Git("tag", "-a", "-m", "t", "v1.0-again", "v1.0") }, []string{"refs/tags/v1.0-again"}},
		{"rename", func() { r.Git("mv", "dir/f", "dir/h"); r.Git("commit", "-qm", "rename") }, nil},
		{"delete", func() { r.Git("rm", "-q", "g"); r.Git("commit", "-qm", "delete") }, nil},
		{"executable", func() { r.Git("update-index", "--chmod=+x", "dir/h"); r.Git("commit", "-qm", "x") }, nil},
		{"symbolic link", func() {
			if err := os.Symlink("dir/h", filepath.Join(r.Dir, "link")); err != nil {
				t.Fatal(err)
			}
			r.Commit("f", "with a link")
		}, nil},
		{"ignored", func() { r.Commit(".gitignore", "*.o\n") }, nil},
		{"attributes", func() { r.Commit(".gitattributes", "*.go diff=golang\n") }, nil},
		{"attributes that stay", func() { r.Commit("f", "beside .gitattributes") }, nil},
		{"workflows", func() { r.Commit(".github/workflows/ci.yml", "on: push\n") }, nil},
		{"other letters", func() { r.Commit("Grüße/日本.txt", "x") }, nil},
		{"submodule", func() {
			r.Git("update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("ab", 20)+",sub")
			r.Git("commit", "-qm", "sub")
		}, nil},
		{"message of no text", func() { r.Git("commit", "-q", "--allow-empty", "--allow-empty-message", "-m", "") }, nil},
		{"amended and forced", func() { r.Commit("f", "amended"); r.Git("commit", "-q", "--amend", "-m", "again") }, nil},
		{"revert", func() { r.Git("revert", "--no-edit", "HEAD") }, nil},
		{"many files", func() {
			for i := range 200 {
				r.Write(fmt.Sprintf("many/%d/%d", i%7, i), fmt.Sprint("file ", i))
			}
			r.Commit("f", "many")
		}, nil},
		{"a file of 100 kB", func() { r.Commit("large", randomText(100_000)) }, nil},
	} {
		t.Run(step.name, func(t *testing.T) {
			step.do()
			refs := step.refs
			if refs == nil {
				refs = []string{"refs/heads/master"}
			}
			var moved []repo.Ref
			for _, name := range refs {
				moved = append(moved, repo.Ref{Name: refname.Name(name), OID: r.ID(name)})
			}
			ran()
			h.push(t, r.Pack(append(refs, strings.Fields(last)...)...), moved...)
			for _, name := range refs {
				last += " ^" + r.ID(name).String()
			}
			if lines := ran(); lines != "" {
				t.Errorf("it ran git %s", lines)
			}
		})
	}
	h.fsck(t)
	if err := h.House.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(h.options.CacheDir); err != nil {
		t.Fatal(err)
	}
	h.reopen(t)
	ran()
	h.fsck(t)
	if lines := ran(); strings.Contains(lines, "index-pack") {
		t.Errorf("an empty cache was filled by git %s", lines)
	}
}

// TestAReaderThatWaits: a client that has sent its pack and keeps the connection open is
// not waited for, and neither is one that goes silent in the middle, once the context
// ends.
func TestAReaderThatWaits(t *testing.T) {
	for name, text := range map[string]string{"small": "1", "large": randomText(beyondNear)} {
		t.Run(name, func(t *testing.T) {
			h, r := newHost(t), gittest.Init(t)
			first := r.Commit("f", text)
			data := r.Pack("master")
			pr, pw := io.Pipe()
			defer func() { _ = pw.Close() }()
			go func() { _, _ = pw.Write(data) }()
			in, err := h.Receive(t.Context(), h.snapshot(), pr, []oid.ID{first}, repo.Limits{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			h.publish(t, in, master(first))
			h.fsck(t)
		})
	}
}

// arrangement draws repositories, packs and mistakes.
type arrangement struct {
	t *testing.T
	*rand.Rand
	r *gittest.Repo
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// TestPlainIsWhatGitTakes is why no process is needed: whatever is taken in without one,
// git index-pack takes in strict mode, with the same objects, and makes the same index
// of. What is drawn are histories, thin packs with both kinds of deltas, objects that are
// nearly right, and packs with bytes changed.
func TestPlainIsWhatGitTakes(t *testing.T) {
	rounds, seed := 8, uint64(1)
	if text := os.Getenv("REFWARD_TEST_PLAIN"); text != "" { // "ROUNDS SEED"
		if _, err := fmt.Sscan(text, &rounds, &seed); err != nil {
			t.Fatal(err)
		}
	}
	taken, left := 0, 0
	for round := range rounds {
		a := &arrangement{t: t, Rand: rand.New(rand.NewPCG(seed, uint64(round))), r: gittest.Init(t)}
		h := newHost(t)
		base := a.history(3)
		h.push(t, a.r.Pack("master"), master(base))
		git := newStrictGit(t, filepath.Join(h.options.CacheDir, string(theID), "objects"))
		tip := a.history(1 + a.IntN(4))
		for _, data := range a.packs(base, tip) {
			packed, index, ok, err := h.TryPlain(t.Context(), h.snapshot(), data)
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				left++
				continue
			}
			taken++
			git.agrees(t, data, packed, index)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("%d packs were taken in without a process, %d left to git", taken, left)
	if taken < 10*rounds || left < 10*rounds {
		t.Errorf("the test covers too little")
	}
}

// strictGit is git with a repository's objects.
type strictGit struct {
	r *gittest.Repo
	n int
}

func newStrictGit(t *testing.T, objects string) *strictGit {
	r := gittest.Init(t)
	r.Write(".git/objects/info/alternates", objects+"\n")
	return &strictGit{r: r}
}

// agrees lets git take in a pack as it was sent, and index the finished one.
func (g *strictGit) agrees(t *testing.T, data, packed, index []byte) {
	t.Helper()
	g.n++
	path := filepath.Join(g.r.Dir, fmt.Sprint(g.n))
	g.r.Write(fmt.Sprint(g.n, "-ours.pack"), string(packed))
	g.r.Write(fmt.Sprint(g.n, "-sent"), string(data))
	// Not by Pipe, which would end the test without the pack.
	if out, err := g.r.TryPipe(data, "-c", "pack.writeReverseIndex=false", "index-pack", "--stdin", "--fix-thin", "--strict="+repo.FsckRules, path+".pack"); err != nil {
		t.Errorf("git refuses what was taken: %s\n%q", out, data)
		return
	}
	theirs, err := os.ReadFile(path + ".idx")
	if err != nil {
		t.Fatal(err)
	}
	g.r.Git("-c", "pack.writeReverseIndex=false", "index-pack", path+"-ours.pack")
	again, err := os.ReadFile(path + "-ours.idx")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, index) {
		t.Errorf("git makes another index of the pack\n%q", data)
	}
	if a, b := ids(t, theirs), ids(t, index); a != b {
		t.Errorf("git finds\n%s, and we\n%s in\n%q", a, b, data)
	}
}

func ids(t *testing.T, index []byte) string {
	t.Helper()
	x, err := pack.NewIndex(bytes.NewReader(index))
	if err != nil {
		t.Fatal(err)
	}
	all, err := x.IDs()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(all)
}

// history makes commits on master.
func (a *arrangement) history(n int) oid.ID {
	var id oid.ID
	for range n {
		for range 1 + a.IntN(3) {
			path := pick(a.Rand, "f", "g", "dir/f", "dir/sub/g", "ü/日本", "a.b", "a/b")
			if _, err := os.Stat(filepath.Join(a.r.Dir, path)); err == nil || path != "a/b" {
				a.r.Write(path, a.text())
			}
		}
		if a.IntN(3) == 0 {
			a.r.Write(pick(a.Rand, ".gitignore", ".gitattributes", ".gitmodules", ".mailmap"), pick(a.Rand, "x\n", "*.c text\n", ""))
		}
		id = a.r.Commit("f", a.text())
		if a.IntN(3) == 0 {
			a.r.Git("tag", "-f", "-a", "-m", "t", pick(a.Rand, "v1", "v-2", "release/3"))
		}
	}
	return id
}

func (a *arrangement) text() string {
	var b strings.Builder
	for range a.IntN(80) {
		fmt.Fprintf(&b, "line %d of a text that makes deltas\n", a.IntN(40))
	}
	return b.String()
}

// packs are some that a client could send to a repository that has base.
func (a *arrangement) packs(base, tip oid.ID) (all [][]byte) {
	for _, have := range []string{"", "^" + base.String()} {
		for range 3 {
			args := []string{"pack-objects", "--revs", "--stdout", "--quiet", "--all"}
			for _, option := range []string{"--thin", "--delta-base-offset", "--no-reuse-delta", "--depth=3", "--window=50"} {
				if a.IntN(2) == 0 {
					args = append(args, option)
				}
			}
			all = append(all, a.r.Pipe([]byte(tip.String()+"\n"+have+"\n"), args...))
		}
	}
	for range 40 {
		if data, err := pack.Encode(a.drawn(base, tip)); err == nil {
			all = append(all, data)
		}
	}
	for _, data := range all[:len(all):len(all)] {
		for range 8 {
			all = append(all, a.changed(data))
		}
	}
	return all
}

// changed is a pack with some bytes changed, and mostly with a trailer that says so.
func (a *arrangement) changed(data []byte) []byte {
	b := bytes.Clone(data[:len(data)-20])
	for range 1 + a.IntN(2) {
		at := a.IntN(len(b))
		switch a.IntN(4) {
		case 0:
			b[at] ^= 1 << a.IntN(8)
		case 1:
			b[at] = byte(a.IntN(256))
		case 2:
			b = append(b[:at:at], b[at+1:]...)
		case 3:
			binary.BigEndian.PutUint32(b[8:], uint32(a.IntN(20)))
		}
		if len(b) < 13 {
			return data
		}
	}
	sum := sha1.Sum(b)
	if a.IntN(10) == 0 {
		sum[a.IntN(20)]++
	}
	return append(b, sum[:]...)
}

// drawn are a few objects that hang together, with one or two oddities among them.
func (a *arrangement) drawn(base, tip oid.ID) []object.Raw {
	odd := a.IntN(3) // nothing is odd in a third of them
	draw := func(usual string, others ...string) string {
		if odd > 0 && a.IntN(6) == 0 {
			odd--
			return pick(a.Rand, others...)
		}
		return usual
	}
	blob := object.Raw{Type: object.Blob, Content: []byte(draw("x", "", "a\x00b", ".git/x", "GIT~1", strings.Repeat("y", 2047), strings.Repeat("y", 2048), strings.Repeat("z", 5000)))}
	blobID := blob.ID()
	wrong := func(id oid.ID) oid.ID {
		return oid.ID([]byte(draw(string(id[:]), string(blobID[:]), string(base[:]), strings.Repeat("\x00", 20), strings.Repeat("\x07", 20))))
	}
	entry := func(mode, name string, id oid.ID) string {
		id = wrong(id)
		return mode + " " + name + "\x00" + string(id[:])
	}
	name := draw("name", "", ".", "..", ".git", ".GIT", "git~1", ".gitmodules", ".gitattributes", ".gitignore", ".mailmap", ".g\u200cit", "a/b", "a\\b", "a:b",
		".gitfoo", "GI7EBA~1", "gitatt~1", "a", "a.b", "z", "ü", ".gitattributes ", ".gitlab-ci.yml", ".github", strings.Repeat("n", 256), strings.Repeat("n", 5000))
	mode := draw("100644", "100755", "120000", "40000", "160000", "100664", "040000", "0", "100600", "40755")
	content := entry("100644", "a", blobID) + draw("", entry("100644", "a.b", blobID)+entry("40000", "a", blobID)) + entry(mode, name, blobID)
	if odd == 0 && a.IntN(2) == 0 {
		content = entry("100644", ".gitattributes", blobID) + content
	}
	tree := object.Raw{Type: object.Tree, Content: []byte(content)}
	person := func() string {
		return draw("A <a@b> 1700000000 +0100", "<a@b> 1 +0000", " <a@b> 1 +0000", "A<a@b> 1 +0000", "A <a@b>1 +0000", "A <a@b> 01 +0000", "A <a@b> 0 +0000",
			"A > <a@b> 1 +0000", "A <a<b> 1 +0000", "A <a@b> x +0000", "A <a@b> 1 +01000", "A <a@b> 1", "A <a@b> 99999999999999999999 +0000",
			"A \x00 <a@b> 1 +0000", "A  <> 1 -0000", "A <a@b>  1 +0000", "A\t <a@b> 1 +0000", "ü \xff <\xfe> 1 +9999", "A <a@b> 999999999999 +0000")
	}
	header := func(key string, values ...string) string { return draw(key, values...) }
	commit := object.Raw{Type: object.Commit, Content: []byte(
		header("tree ", "Tree ", "tree  ", "") + wrong(tree.ID()).String() + "\n" +
			draw("parent "+base.String()+"\n", "", "parent "+tip.String()+"\n", "parent x\n", strings.Repeat("parent "+base.String()+"\n", 2)) +
			"author " + person() + "\n" + draw("", "author A <a@b> 1 +0000\n", "x y\n") +
			draw("committer ", "commiter ", "") + person() + "\n" +
			draw("", "encoding x\n", "gpgsig -\n -\n", " x\n", "x\n", "parent "+base.String()+"\n", "tree x\n", "X y\n") +
			draw("\nm\n", "\n", "", "\nm\x00\n", "m"))}
	tag := object.Raw{Type: object.Tag, Content: []byte(
		"object " + wrong(commit.ID()).String() + "\ntype " + draw("commit", "tree", "blob", "tag", "x", "") + "\n" +
			draw("tag v1\n", "tag \n", "tag v 1\n", "tag v..1\n", "", "tag a.lock\n", "tag -v\n", "tag ü\n") +
			draw("tagger "+person()+"\n", "", "tagger x\n") + draw("", "x y\n", "gpgsig x\n") + draw("\nm\n", "\n", "", "\n\x00"))}
	all := []object.Raw{commit, tree, blob, tag}
	a.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if draw("", "missing") != "" {
		all = all[1:]
	}
	if draw("", "twice") != "" {
		all = append(all, all[0])
	}
	return all
}
