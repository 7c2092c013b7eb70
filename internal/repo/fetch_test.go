package repo_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pktline"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/git/wire"
	"github.com/refward/refward/internal/repo"
)

// fetchRequest is the body of a request of version 2; "0001" stands for a delimiter.
func fetchRequest(lines ...string) string {
	b := pktline.AppendDelim(pktline.Append(nil, "command=fetch\n"))
	for _, l := range lines {
		b = pktline.Append(b, l+"\n")
	}
	return string(pktline.AppendFlush(b))
}

// ask sends one request and returns the whole answer.
func (h *host) ask(t testing.TB, snap *repo.Snapshot, version int, request string) string {
	t.Helper()
	var out bytes.Buffer
	if err := h.UploadPack(t.Context(), snap, version, strings.NewReader(request), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestProcessesOfAFetch: a first clone or fetch is one process, the next one none, whatever
// version of the protocol and whatever the client calls itself.
func TestProcessesOfAFetch(t *testing.T) {
	change, ran := counted(t)
	h := newHost(t, change)
	r, commits := history(t, h)
	url := serve(t, h, h.snapshot())
	clone := func(args ...string) string {
		dir := filepath.Join(t.TempDir(), "clone")
		r.Git(append(append([]string{"clone", "--quiet"}, args...), url, dir)...)
		gittest.At(t, dir).Git("fsck", "--strict", "--connectivity-only")
		return dir
	}
	want := func(what string, names ...string) {
		t.Helper()
		got := ran()
		if i := slices.Index(got, "cat-file"); i >= 0 && !slices.Contains(names, "cat-file") {
			got = slices.Delete(got, i, i+1) // the reader that stays
		}
		if !slices.Equal(got, names) {
			t.Errorf("%s: ran %q, want %q", what, got, names)
		}
	}
	ran()
	// serve lets git answer ls-refs of version 2, so that each client adds one upload-pack.
	clone("-c", "protocol.version=2")
	want("a clone", "upload-pack")
	clone("-c", "protocol.version=2")
	want("a second clone", "upload-pack")
	clone("-c", "protocol.version=0")
	want("a clone of version 0")
	clone("-c", "protocol.version=2", "--depth=1")
	want("a shallow clone", "upload-pack", "upload-pack")
	clone("-c", "protocol.version=2", "--depth=1")
	want("a second shallow clone", "upload-pack")
	clone("-c", "protocol.version=0", "--depth=1")
	want("a shallow clone of version 0", "upload-pack", "upload-pack")
	clone("-c", "protocol.version=0", "--depth=1")
	want("a second shallow clone of version 0", "upload-pack")
	clone("-c", "protocol.version=2", "--filter=blob:none", "--bare")
	want("a partial clone", "upload-pack", "pack-objects")

	for range 2 { // one behind: the negotiation is ours, and so is the pack
		dir := filepath.Join(t.TempDir(), "behind")
		r.Git("clone", "--quiet", r.Dir, dir)
		behind := gittest.At(t, dir)
		behind.Git("checkout", "--quiet", "-B", "master", commits[2].String())
		for _, ref := range []string{"refs/remotes/origin/master", "refs/remotes/origin/HEAD", "refs/tags/v1"} {
			behind.Git("update-ref", "--no-deref", "-d", ref)
		}
		behind.Git("reflog", "expire", "--expire=all", "--all")
		behind.Git("gc", "--quiet", "--prune=now")
		ran()
		behind.Git("-c", "protocol.version=2", "fetch", "--quiet", url, "master")
		if got := behind.ID("FETCH_HEAD"); got != commits[4] {
			t.Errorf("fetched %s", got)
		}
		want("a fetch", "upload-pack")
		behind.Git("fsck", "--strict", "--connectivity-only")
	}
}

// TestNegotiation holds our answers against those of git's own upload-pack, up to the
// pack, byte for byte.
func TestNegotiation(t *testing.T) {
	h := newHost(t)
	r, commits := history(t, h)
	blob, tag := r.ID("master:dir/f0"), r.ID("v1")
	unrelated := gittest.Init(t)
	other := unrelated.Commit("o", "o")
	h.push(t, unrelated.Pack("master"), repo.Ref{Name: "refs/heads/other", OID: other})
	snap := h.snapshot()
	_ = h.ask(t, snap, 2, fetchRequest("want "+commits[0].String(), "done")) // makes the folder
	var view bytes.Buffer
	if err := h.UploadPack(t.Context(), snap, 2, strings.NewReader("0014command=ls-refs\n0000"), &view); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(h.options.CacheDir, string(theID), "views", fmt.Sprint(snap.Gen))
	head := func(answer string) string {
		before, _, _ := strings.Cut(answer, "packfile\n")
		return before
	}
	none := strings.Repeat("ab", 20)
	for name, lines := range map[string][]string{
		"clone":          {"want " + commits[4].String(), "done"},
		"no end":         {"want " + commits[4].String()},
		"ready":          {"want " + commits[4].String(), "have " + commits[1].String()},
		"itself":         {"want " + commits[4].String(), "have " + commits[4].String()},
		"newer":          {"want " + commits[1].String(), "have " + commits[4].String()},
		"twice":          {"want " + commits[4].String(), "have " + commits[1].String(), "have " + none, "have " + commits[1].String()},
		"nothing common": {"want " + commits[4].String(), "have " + none},
		"one of two":     {"want " + commits[4].String(), "want " + other.String(), "have " + commits[2].String()},
		"both":           {"want " + commits[4].String(), "want " + other.String(), "have " + commits[2].String(), "have " + other.String()},
		"done":           {"want " + commits[4].String(), "have " + commits[1].String(), "have " + none, "done"},
		"wait":           {"wait-for-done", "want " + commits[4].String(), "have " + commits[1].String()},
		"a tag":          {"want " + tag.String(), "have " + commits[1].String()},
		"a blob":         {"want " + blob.String(), "have " + commits[1].String()},
		"has a blob":     {"want " + commits[4].String(), "have " + blob.String()},
		"has a tag":      {"want " + commits[4].String(), "have " + tag.String()},
	} {
		request := fetchRequest(append([]string{"no-progress"}, lines...)...)
		ours := h.ask(t, snap, 2, request)
		var theirs bytes.Buffer
		cmd := h.options.Git.Command("upload-pack").Config("safe.directory", "*").Flag("--stateless-rpc").Operand(dir).
			Protocol("2").Stdin(strings.NewReader(request)).Stdout(&theirs)
		if err := cmd.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if head(ours) != head(theirs.String()) || strings.Contains(ours, "packfile\n") != strings.Contains(theirs.String(), "packfile\n") {
			t.Errorf("%s: we answer\n%q\nand git\n%q", name, head(ours), head(theirs.String()))
		}
	}
}

// TestWantsWhatIsNotThere: git's own words reach the client, and are not kept.
func TestWantsWhatIsNotThere(t *testing.T) {
	h := newHost(t)
	_, commits := history(t, h)
	for range 2 {
		var out bytes.Buffer
		request := fetchRequest("want "+commits[4].String(), "want "+strings.Repeat("12", 20), "done")
		err := h.UploadPack(t.Context(), h.snapshot(), 2, strings.NewReader(request), &out)
		if err == nil || !strings.Contains(out.String(), "ERR upload-pack: not our ref 1212") {
			t.Errorf("got %q and %v", out.String(), err)
		}
	}
	if s := h.AnswerStats(); s.Kept != 0 {
		t.Errorf("%+v: an error was kept", s)
	}
}

// packOf returns the pack in an answer with side bands, and what was told beside it.
func packOf(t testing.TB, answer string) (pack []byte, progress string) {
	t.Helper()
	_, rest, ok := strings.Cut(answer, "packfile\n")
	if !ok {
		t.Fatalf("no pack in %.200q", answer)
	}
	var data, said bytes.Buffer
	if err := wire.Demux(pktline.NewReader(strings.NewReader(rest)), &data, &said); err != nil {
		t.Fatal(err)
	}
	return data.Bytes(), said.String()
}

// TestIncludeTag: a tag that came later is in the next answer.
func TestIncludeTag(t *testing.T) {
	h := newHost(t)
	r, commits := history(t, h)
	request := fetchRequest("include-tag", "ofs-delta", "want "+commits[4].String(), "done")
	has := func(id oid.ID) bool {
		pack, _ := packOf(t, h.ask(t, h.snapshot(), 2, request))
		got := gittest.Init(t)
		got.Pipe(pack, "index-pack", "--stdin")
		_, err := got.Try("cat-file", "-e", id.String())
		return err == nil
	}
	if !has(r.ID("v1")) {
		t.Error("the tag is not in the answer")
	}
	r.Git("tag", "-a", "-m", "t", "v2", commits[2].String())
	h.push(t, r.PackObjects(r.ID("v2")), repo.Ref{Name: "refs/tags/v2", OID: r.ID("v2"), Peeled: commits[2]})
	if !has(r.ID("v2")) {
		t.Error("the new tag is not in the answer")
	}
	// A branch that moves changes nothing about it.
	made := h.AnswerStats().Made
	h.commit(repo.Pack{}, false, repo.Ref{Name: "refs/heads/b", OID: commits[1]})
	if has(r.ID("v1")); h.AnswerStats().Made != made {
		t.Error("an answer that does not depend on branches was made again")
	}
}

// TestDeepenNot: what an answer says of a ref is said of the ref as it is.
func TestDeepenNot(t *testing.T) {
	h := newHost(t)
	_, commits := history(t, h)
	request := fetchRequest("want "+commits[4].String(), "deepen-not refs/heads/old", "done")
	boundary := func(old oid.ID) string {
		h.commit(repo.Pack{}, false, repo.Ref{Name: "refs/heads/old", OID: old})
		head, _, _ := strings.Cut(h.ask(t, h.snapshot(), 2, request), "packfile\n")
		return head
	}
	if got := boundary(commits[1]); !strings.Contains(got, "shallow "+commits[2].String()) {
		t.Errorf("got %q", got)
	}
	if got := boundary(commits[2]); !strings.Contains(got, "shallow "+commits[3].String()) {
		t.Errorf("after the ref moved got %q", got)
	}
}

// TestEpoch: when objects may have been dropped, no answer of before is given any more,
// nor is it on disk.
func TestEpoch(t *testing.T) {
	h := newHost(t)
	r := gittest.Init(t)
	id := r.Commit("f", randomText(300_000))
	h.push(t, r.Pack("master"), master(id))
	snap := h.snapshot()
	request := fetchRequest("want "+id.String(), "done")
	for range 2 {
		h.ask(t, snap, 2, request)
	}
	answers := filepath.Join(h.options.CacheDir, "~answers")
	if entries, err := os.ReadDir(answers); err != nil || len(entries) != 1 || h.AnswerStats().Made != 1 {
		t.Fatalf("%d answers on disk (%v), %+v", len(entries), err, h.AnswerStats())
	}
	snap.Epoch++
	h.ask(t, snap, 2, request)
	if s := h.AnswerStats(); s.Made != 2 || s.Kept != 1 {
		t.Errorf("in the next epoch: %+v", s)
	}
	if entries, err := os.ReadDir(answers); err != nil || len(entries) != 1 {
		t.Errorf("%d answers on disk (%v), want that of this epoch", len(entries), err)
	}
	if err := h.Remove(theID); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(answers); err != nil || len(entries) != 0 {
		t.Errorf("%d answers are left of a deleted repository (%v)", len(entries), err)
	}
}

// TestDamagedAnswer: what a disk does to an answer, no client sees.
func TestDamagedAnswer(t *testing.T) {
	h := newHost(t)
	r := gittest.Init(t)
	id := r.Commit("f", randomText(300_000))
	h.push(t, r.Pack("master"), master(id))
	url := serve(t, h, h.snapshot())
	clone := func() {
		dir := filepath.Join(t.TempDir(), "clone")
		r.Git("-c", "protocol.version=2", "clone", "--quiet", url, dir)
		gittest.At(t, dir).Git("fsck", "--strict")
	}
	clone()
	paths, err := filepath.Glob(filepath.Join(h.options.CacheDir, "~answers", "*"))
	if err != nil || len(paths) != 1 {
		t.Fatal(paths, err)
	}
	data, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	data[70_000] ^= 1
	if err := os.WriteFile(paths[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	clone()
	if s := h.AnswerStats(); s.Damaged != 1 || s.Made != 4 { // two of them list the refs
		t.Errorf("%+v", s)
	}
}

// TestFetchProgress: it is for those who wait, not for those who come later or do not ask.
func TestFetchProgress(t *testing.T) {
	h := newHost(t)
	r := gittest.Init(t)
	id := r.Commit("f", randomText(beyondNear))
	h.push(t, r.Pack("master"), master(id))
	want := "want " + id.String()
	if _, said := packOf(t, h.ask(t, h.snapshot(), 2, fetchRequest(want, "done"))); !strings.Contains(said, "Counting objects") {
		t.Errorf("told %q", said)
	}
	for _, request := range []string{fetchRequest(want, "done"), fetchRequest("no-progress", want, "done")} {
		if _, said := packOf(t, h.ask(t, h.snapshot(), 2, request)); said != "" {
			t.Errorf("told again %q", said)
		}
	}
	if s := h.AnswerStats(); s.Made != 1 {
		t.Errorf("%+v", s)
	}
}

// TestConcurrentClones: they share one run of git.
func TestConcurrentClones(t *testing.T) {
	change, ran := counted(t)
	h := newHost(t, change)
	r := gittest.Init(t)
	id := r.Commit("f", randomText(beyondNear))
	h.push(t, r.Pack("master"), master(id))
	snap := h.snapshot()
	ran()
	var wg sync.WaitGroup
	answers := make([]string, 16)
	for i := range answers {
		wg.Go(func() {
			var out bytes.Buffer
			request := fetchRequest("no-progress", "want "+id.String(), "done")
			if err := h.UploadPack(t.Context(), snap, 2, strings.NewReader(request), &out); err != nil {
				t.Error(err)
			}
			answers[i] = out.String()
		})
	}
	wg.Wait()
	if got := ran(); !slices.Equal(got, []string{"pack-objects"}) {
		t.Errorf("ran %q", got)
	}
	if n := len(slices.Compact(answers)); n != 1 {
		t.Errorf("%d different answers", n)
	}
	packOf(t, answers[0])
}

// TestRandomHistories: whatever the history, what git fetches through our negotiation is
// connected, and is what a clone through git's own upload-pack has.
func TestRandomHistories(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 7))
			h, r := newHost(t), gittest.Init(t)
			var clients []*gittest.Repo
			for round := range 3 {
				grow(t, rnd, h, r, round)
				snap := h.snapshot()
				url := serve(t, h, snap)
				clients = append(clients, gittest.Init(t))
				for i, c := range clients {
					if i < len(clients)-1 && rnd.IntN(3) == 0 {
						continue // falls behind
					}
					if rnd.IntN(2) == 0 {
						c.Git("fetch", "--quiet", r.Dir, "+refs/heads/b0:refs/heads/elsewhere")
					}
					v := fmt.Sprintf("protocol.version=%d", []int{0, 2, 2, 2}[rnd.IntN(4)])
					c.Git("-c", v, "fetch", "--quiet", url, "+refs/heads/*:refs/remotes/origin/*")
					wantSame(t, c, r, snap)
				}
			}
		})
	}
}

// grow makes some commits, merges and tags on some branches, and pushes each.
func grow(t *testing.T, rnd *rand.Rand, h *host, r *gittest.Repo, round int) {
	for i := range 4 {
		branch := fmt.Sprintf("b%d", rnd.IntN(3))
		if _, err := r.Try("rev-parse", "--verify", "--quiet", branch); err != nil {
			if len(h.refs) == 0 {
				branch = "b0"
				r.Git("checkout", "--quiet", "-B", branch)
			} else {
				r.Git("checkout", "--quiet", "-B", branch, "b0")
			}
		}
		_, _ = r.Try("checkout", "--quiet", branch)
		switch rnd.IntN(4) {
		case 0:
			_, _ = r.Try("merge", "--quiet", "-s", "ours", "-m", "merge", "b0")
		default:
			r.Commit(fmt.Sprintf("d%d/f%d", rnd.IntN(3), rnd.IntN(5)), fmt.Sprint(round, i, rnd.Uint64())+randomText(500))
		}
		refs := []repo.Ref{{Name: refname.Branch(branch), OID: r.ID("HEAD")}}
		revs := []string{"HEAD"}
		if rnd.IntN(3) == 0 {
			tag := fmt.Sprintf("t%d-%d", round, i)
			r.Git("tag", "-a", "-m", tag, tag)
			refs = append(refs, repo.Ref{Name: refname.Name("refs/tags/" + tag), OID: r.ID(tag), Peeled: r.ID("HEAD")})
			revs = append(revs, tag)
		}
		for ref := range h.snapshot().Refs.All() {
			revs = append(revs, "^"+ref.OID.String())
		}
		h.push(t, r.Pack(revs...), refs...)
	}
}

// wantSame compares a client's objects with those of a clone through git's upload-pack.
func wantSame(t *testing.T, c, r *gittest.Repo, snap *repo.Snapshot) {
	t.Helper()
	c.Git("fsck", "--connectivity-only", "--strict")
	for ref := range snap.Refs.Prefix("refs/heads/") {
		name := strings.TrimPrefix(string(ref.Name), "refs/heads/")
		if got := c.ID("refs/remotes/origin/" + name); got != ref.OID {
			t.Errorf("%s is at %s, want %s", name, got, ref.OID)
		}
	}
	oracle := gittest.Init(t)
	oracle.Git("fetch", "--quiet", "--upload-pack=git upload-pack", "file://"+r.Dir, "+refs/heads/*:refs/remotes/origin/*")
	list := func(g *gittest.Repo) string {
		lines := strings.Split(g.Git("rev-list", "--objects", "--no-object-names", "--remotes", "--tags"), "\n")
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	if list(c) != list(oracle) {
		t.Error("the objects are not those of a clone through git's upload-pack")
	}
}

// TestNoUnreachableObjects: a fresh clone brings nothing that its refs do not reach, also
// where the packs hold more.
func TestNoUnreachableObjects(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	first := r.Commit("f", "kept")
	h.push(t, r.Pack("master"), master(first))
	secret := r.Commit("f", "gone")
	h.push(t, r.Pack("master", "^"+first.String()), master(secret))
	h.commit(repo.Pack{}, false, master(first)) // forced back
	dir := filepath.Join(t.TempDir(), "clone")
	r.Git("-c", "protocol.version=2", "clone", "--quiet", "--mirror", serve(t, h, h.snapshot()), dir)
	if out, err := gittest.At(t, dir).Try("cat-file", "-e", secret.String()); err == nil {
		t.Errorf("an unreachable commit was sent %s", out)
	}
}

// TestWholePack: one pack with a bitmap is sent as it is when all that it holds is wanted,
// and not when it holds anything else.
func TestWholePack(t *testing.T) {
	change, ran := counted(t)
	h := newHost(t, change)
	r := gittest.Init(t)
	first := r.Commit("f", randomText(beyondNear))
	second := r.Commit("f", randomText(beyondNear)+"and more")
	r.Git("tag", "-a", "-m", "t", "v1")
	tag := r.ID("v1")
	stored := h.push(t, r.Pack("master", "v1"), master(second), repo.Ref{Name: "refs/tags/v1", OID: tag, Peeled: second})
	snap := h.snapshot()
	h.ask(t, snap, 2, fetchRequest("want "+first.String(), "done")) // fills the cache
	file := filepath.Join(h.options.CacheDir, string(theID), "objects", "pack", "pack-"+stored.ID+".pack")
	data := bitmapped(t, file, second, tag)
	snap.Packs[0].Bitmap = true

	ask := func(lines ...string) ([]byte, []string) {
		t.Helper()
		ran()
		pack, _ := packOf(t, h.ask(t, snap, 2, fetchRequest(append(lines, "done")...)))
		gittest.Init(t).Pipe(pack, "index-pack", "--stdin", "--fix-thin")
		return pack, ran()
	}
	all := []string{"ofs-delta", "include-tag", "want " + second.String(), "want " + tag.String()}
	if got, names := ask(all...); !bytes.Equal(got, data) || slices.Contains(names, "pack-objects") {
		t.Errorf("a clone got %d bytes, not the pack of %d; ran %q", len(got), len(data), names)
	}
	for name, lines := range map[string][]string{
		"an old commit":      {"ofs-delta", "want " + first.String()},
		"not the tag":        {"ofs-delta", "want " + second.String()},
		"no ofs-delta":       {"include-tag", "want " + second.String(), "want " + tag.String()},
		"a filter":           append([]string{"filter blob:none"}, all...),
		"something is there": append([]string{"have " + first.String()}, all...),
	} {
		if got, names := ask(lines...); bytes.Equal(got, data) || !slices.Contains(names, "pack-objects") {
			t.Errorf("%s: got %d bytes; ran %q", name, len(got), names)
		}
	}

	// What is wanted is newer than the snapshot: its objects need not be in the pack, as
	// many as there may be.
	third := r.Commit("g", "newer")
	h.push(t, r.Pack("master", "^"+second.String()), master(third))
	if got, names := ask("ofs-delta", "want "+third.String()); bytes.Equal(got, data) || !slices.Contains(names, "pack-objects") {
		t.Errorf("newer than the snapshot: got %d bytes; ran %q", len(got), names)
	}

	// A damaged pack reaches nobody whole, and is not kept.
	bad := bytes.Clone(data)
	bad[len(bad)/2] ^= 1
	if err := errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, bad, 0o600)); err != nil {
		t.Fatal(err)
	}
	snap.Epoch++
	var out bytes.Buffer
	if err := h.UploadPack(t.Context(), snap, 2, strings.NewReader(fetchRequest(append(all, "done")...)), &out); err == nil {
		t.Error("a damaged pack was sent as if nothing were wrong")
	}
	if strings.HasSuffix(out.String(), "0000") || h.AnswerStats().Kept != 0 {
		t.Errorf("the answer has an end, or was kept: %+v", h.AnswerStats())
	}
}

// TestCloneAfterPush: a first clone of a repository with one large pack gets that as it is
// and what came since, as one pack, with little that it did not ask for and nothing that no
// ref reaches.
func TestCloneAfterPush(t *testing.T) {
	h := newHost(t)
	r := gittest.Init(t)
	var first oid.ID
	for i := range 20 {
		id := r.Commit(fmt.Sprint("file", i), randomText(64_000+i))
		if i == 3 {
			first = id
		}
	}
	old := r.ID("master")
	stored := h.push(t, r.Pack("master"), master(old), repo.Ref{Name: "refs/heads/first", OID: first})
	h.ask(t, h.snapshot(), 2, fetchRequest("want "+old.String(), "done")) // fills the cache
	file := filepath.Join(h.options.CacheDir, string(theID), "objects", "pack", "pack-"+stored.ID+".pack")
	data := bitmapped(t, file, old, first)
	h.packs[0].Bitmap = true
	body := data[12 : len(data)-20]

	// Two pushes since, of which the second, a thin one, repeats an object of the first.
	second := r.Commit("file3", randomText(64_003)+"!")
	h.push(t, r.Pack("master", "^"+old.String()), master(second))
	third := r.Commit("file4", randomText(64_003)+"!")
	h.push(t, r.Pack("master", "^"+old.String()), master(third))

	ask := func(wants ...oid.ID) (pack []byte, got *gittest.Repo) {
		t.Helper()
		lines := []string{"ofs-delta"}
		for _, w := range wants {
			lines = append(lines, "want "+w.String())
		}
		pack, _ = packOf(t, h.ask(t, h.snapshot(), 2, fetchRequest(append(lines, "done")...)))
		got = gittest.Init(t)
		got.Pipe(pack, "index-pack", "--stdin", "--strict")
		for _, w := range wants {
			got.Git("rev-list", "--objects", "--quiet", w.String())
		}
		return pack, got
	}
	objects := func(got *gittest.Repo) int {
		return len(strings.Fields(got.Git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")))
	}
	for _, tc := range []struct {
		name  string
		wants []oid.ID
		want  int // objects
	}{
		{"all refs", []oid.ID{first, third}, 65},
		{"one branch", []oid.ID{third}, 65},
		{"a branch that lacks most", []oid.ID{first}, 12},
		{"a commit that no ref names", []oid.ID{second}, 63},
	} {
		pack, got := ask(tc.wants...)
		if n, all := binary.BigEndian.Uint32(pack[8:]), objects(got); all != tc.want || int(n) != tc.want {
			t.Errorf("%s: %d objects in the pack, %d of them different, want %d", tc.name, n, all, tc.want)
		}
	}

	// A little that the branch does not reach goes with it; and not once no ref reaches it,
	// whether it came since or was there before.
	r.Git("checkout", "--quiet", "-b", "side", "master~1")
	side := r.Commit("aside", "side")
	ref := repo.Ref{Name: "refs/heads/side", OID: side}
	h.push(t, r.Pack("side", "^master"), ref)
	if pack, got := ask(third); !bytes.Contains(pack, body) || objects(got) != 68 {
		t.Errorf("beside a side branch, master comes with %d objects", objects(got))
	}
	ref.OID = old
	h.commit(repo.Pack{}, false, ref)
	if _, got := ask(third); objects(got) != 65 {
		t.Errorf("without the side branch, master comes with %d objects", objects(got))
	}
	ref.OID = side
	before := r.ID("master~3") // what is after it is in the large pack, too
	h.commit(repo.Pack{}, false, master(before), repo.Ref{Name: "refs/heads/first", OID: before})
	h.commit(repo.Pack{}, false, repo.Ref{Name: "refs/heads/side", OID: before})
	if _, got := ask(before); objects(got) != 57 {
		t.Errorf("what no ref reaches was sent: %d objects", objects(got))
	}
	h.commit(repo.Pack{}, false, master(third), ref)

	bad := bytes.Clone(data)
	bad[len(bad)/2] ^= 1
	if err := errors.Join(os.Chmod(file, 0o600), os.WriteFile(file, bad, 0o600)); err != nil {
		t.Fatal(err)
	}
	snap := h.snapshot()
	snap.Epoch++
	var out bytes.Buffer
	request := fetchRequest("ofs-delta", "want "+third.String(), "want "+side.String(), "done")
	if err := h.UploadPack(t.Context(), snap, 2, strings.NewReader(request), &out); err == nil || strings.HasSuffix(out.String(), "0000") {
		t.Errorf("a damaged pack was sent as if nothing were wrong (%v)", err)
	}
}

// bitmapped replaces a pack in the cache by one of the same objects with a bitmap, as
// maintenance does, and returns it. A bitmap holds for the pack that it was made for.
func bitmapped(t *testing.T, file string, tips ...oid.ID) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	maker := gittest.Init(t)
	maker.Pipe(data, "index-pack", "--stdin")
	for i, tip := range tips {
		maker.Git("update-ref", fmt.Sprintf("refs/tips/%d", i), tip.String())
	}
	maker.Git("repack", "-a", "-d", "-b", "-q")
	made, err := filepath.Glob(filepath.Join(maker.Dir, ".git", "objects", "pack", "*.bitmap"))
	if err != nil || len(made) != 1 {
		t.Fatal(made, err)
	}
	for _, ext := range []string{".bitmap", ".idx", ".pack"} {
		to := strings.TrimSuffix(file, ".pack") + ext
		_ = os.Remove(to)
		if data, err = os.ReadFile(strings.TrimSuffix(made[0], ".bitmap") + ext); err == nil {
			err = os.WriteFile(to, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return data
}

func BenchmarkClone(b *testing.B) {
	for _, kind := range []string{"first", "repeated"} {
		b.Run(kind, func(b *testing.B) {
			h := newHost(b)
			_, commits := history(b, h)
			snap := h.snapshot()
			request := fetchRequest("no-progress", "ofs-delta", "thin-pack", "want "+commits[4].String(), "done")
			defer cpu(b)()
			for b.Loop() {
				if kind == "first" {
					snap.Epoch++
				}
				if err := h.UploadPack(b.Context(), snap, 2, strings.NewReader(request), io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFetchBehind(b *testing.B) {
	h := newHost(b)
	_, commits := history(b, h)
	snap := h.snapshot()
	request := fetchRequest("no-progress", "ofs-delta", "thin-pack", "want "+commits[4].String(), "have "+commits[0].String())
	defer cpu(b)()
	for b.Loop() {
		snap.Epoch++
		if err := h.UploadPack(b.Context(), snap, 2, strings.NewReader(request), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
