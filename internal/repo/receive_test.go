package repo_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/repo"
)

func randomText(n int) string {
	r := rand.NewChaCha8([32]byte{byte(n)})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return string(b)
}

// TestPushes takes in first, thin and large packs, and git finds the result sound.
func TestPushes(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	text := strings.Repeat("a line that makes a delta\n", 400)
	first := r.Commit("f", text)
	p := h.push(t, r.Pack("master"), master(first))
	if !p.IsInline() || p.Objects != 3 || p.Size == 0 || int64(len(p.Inline)) != p.Size {
		t.Errorf("the first pack is %+v", p)
	}
	second := r.Commit("f", text+"one more\n")
	thin := r.Pack("master", "^"+first.String())
	p = h.push(t, thin, master(second))
	if p.Size <= int64(len(thin)) {
		t.Errorf("a pack of %d bytes was stored as %d: it was not thin, or it was not completed", len(thin), p.Size)
	}
	third := r.Commit("large", randomText(300_000))
	p = h.push(t, r.Pack("master", "^"+second.String()), master(third))
	if p.IsInline() || p.Inline != nil || !strings.HasPrefix(p.Key, string(theID)+"/") {
		t.Errorf("the large pack is %+v", p)
	}
	for _, ext := range []string{".pack", ".idx"} {
		if _, err := h.blobs.Stat(t.Context(), p.Key+ext); err != nil {
			t.Error(err)
		}
	}
	h.wantNoLeftovers(t)
	h.fsck(t)

	// The cache can go: the stores have everything.
	if err := h.House.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(h.options.CacheDir); err != nil {
		t.Fatal(err)
	}
	h.reopen(t)
	for _, id := range []oid.ID{first, second, third} {
		if c, err := h.readCommit(t, id); err != nil || c.ID != id || c.Author.Name != "Ada" {
			t.Errorf("%s: %+v (%v)", id, c, err)
		}
	}
	h.fsck(t)
}

func TestRefusedPacks(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	base := r.Commit("f", strings.Repeat("text\n", 1000))
	h.push(t, r.Pack("master"), master(base))
	tip := r.Commit("g", "more")
	good := r.Pack("master", "^"+base.String())
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 0x40
	h.refuse(t, flipped, repo.ErrBadPack, repo.Limits{}, tip)
	for name, data := range map[string][]byte{
		"nothing":           {},
		"half a head":       good[:7],
		"only a head":       good[:12],
		"cut in the middle": good[:len(good)/2],
		"no checksum":       good[:len(good)-20],
		"half a checksum":   good[:len(good)-7],
		"not a pack":        []byte("GIT has no such signature at all"),
		"version":           append([]byte("PACK\x00\x00\x00\x09"), good[8:]...),
		"more objects":      append([]byte("PACK\x00\x00\x00\x02\x00\x00\x7f\xff"), good[12:]...),
		"empty, cut":        []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00abc"),
		"empty, bad sum":    []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00aaaaaaaaaaaaaaaaaaaa"),
	} {
		t.Run(name, func(t *testing.T) { h.refuse(t, data, repo.ErrBadPack, repo.Limits{}, tip) })
	}
	t.Run("two billion objects", func(t *testing.T) {
		h.refuse(t, append([]byte("PACK\x00\x00\x00\x02\x7f\xff\xff\xff"), good[12:]...), repo.ErrTooLarge, repo.Limits{}, tip)
	})
	t.Run("thin without its base", func(t *testing.T) {
		other := newHost(t)
		changed := r.Commit("f", strings.Repeat("text\n", 1000)+"x")
		other.refuse(t, r.Pack("master", "^"+tip.String()), repo.ErrBadPack, repo.Limits{}, changed)
	})
	t.Run("and a good one is still taken", func(t *testing.T) {
		h.push(t, good, master(tip))
		h.fsck(t)
	})
}

func TestDisconnectedPacks(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	base := r.Commit("f", "1")
	middle := r.Commit("d/g", "2")
	tip := r.Commit("h", "3")
	tree, subtree, blob := r.ID("HEAD^{tree}"), r.ID("HEAD:d"), r.ID("HEAD:d/g")
	for name, ids := range map[string][]oid.ID{
		"no parent":  {tip, tree, subtree, r.ID("HEAD:f"), blob, r.ID("HEAD:h")},
		"no tree":    {base},
		"no blob":    {base, r.ID(base.String() + "^{tree}")},
		"no subtree": {base, middle, tip, r.ID(base.String() + "^{tree}"), r.ID(middle.String() + "^{tree}"), tree, r.ID("HEAD:f"), r.ID("HEAD:h"), blob},
	} {
		t.Run(name, func(t *testing.T) {
			h.refuse(t, r.PackObjects(ids...), repo.ErrBadPack, repo.Limits{}, ids[0])
		})
	}
	t.Run("a tip that is nowhere", func(t *testing.T) {
		err := h.refuse(t, r.Pack(base.String()), repo.ErrBadPack, repo.Limits{}, base, tip)
		if !strings.Contains(err.Error(), tip.String()) {
			t.Errorf("the reason does not name it: %v", err)
		}
	})
	t.Run("a link of the wrong type", func(t *testing.T) {
		bad := r.Object("commit", fmt.Sprintf("tree %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nm", blob))
		h.refuse(t, r.PackObjects(bad, blob), repo.ErrBadPack, repo.Limits{}, bad)
	})
	t.Run("no pack", func(t *testing.T) {
		if _, err := h.Receive(t.Context(), h.snapshot(), nil, []oid.ID{tip}, repo.Limits{}, nil); !errors.Is(err, repo.ErrBadPack) {
			t.Errorf("got %v, want ErrBadPack", err)
		}
	})
}

// TestFsckRules: what harms is refused and named, what is only old is taken.
func TestFsckRules(t *testing.T) {
	const sig = "author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n"
	entry := func(mode, name string, id oid.ID) string { return mode + " " + name + "\x00" + string(id[:]) }
	h, r := newHost(t), gittest.Init(t)
	blob := r.Object("blob", "x")
	commit := func(tree oid.ID, sig string) oid.ID {
		return r.Object("commit", "tree "+tree.String()+"\n"+sig+"\nm\n")
	}
	plain := r.Object("tree", entry("100644", "f", blob))
	for name, c := range map[string]struct {
		tree   string // an entry's name
		sig    string
		reason string // empty: accepted
	}{
		"git folder":           {tree: ".git", reason: "hasDotgit"},
		"git folder on a Mac":  {tree: ".g\u200cit", reason: "hasDotgit"},
		"git folder on NTFS":   {tree: "GIT~1", reason: "hasDotgit"},
		"parent":               {tree: "..", reason: "hasDotdot"},
		"path":                 {tree: "a/b", reason: "fullPathname"},
		"no author":            {sig: "committer A <a@b> 1 +0000\n", reason: "missingAuthor"},
		"bad date":             {sig: "author A <a@b> yesterday\ncommitter A <a@b> 1 +0000\n", reason: "badDate"},
		"no email":             {sig: "author A 1 +0000\ncommitter A 1 +0000\n"},
		"no space before date": {sig: "author A <a@b>1 +0000\ncommitter A <a@b>1 +0000\n"},
		"odd time zone":        {sig: "author A <a@b> 1 +051800\ncommitter A <a@b> 1 +051800\n"},
	} {
		t.Run(name, func(t *testing.T) {
			tree := plain
			if c.tree != "" {
				tree = r.Object("tree", entry("100644", c.tree, blob))
			}
			if c.sig == "" {
				c.sig = sig
			}
			tip := commit(tree, c.sig)
			data := r.PackObjects(tip, tree, blob)
			if c.reason == "" {
				h.push(t, data, repo.Ref{Name: "refs/heads/x", OID: tip})
				if _, err := h.readCommit(t, tip); err != nil {
					t.Errorf("what was accepted cannot be read: %v", err)
				}
				return
			}
			err := h.refuse(t, data, repo.ErrBadPack, repo.Limits{}, tip)
			if !strings.Contains(err.Error(), c.reason) {
				t.Errorf("the reason is %v, want it to name %s", err, c.reason)
			}
		})
	}
	t.Run("old mode", func(t *testing.T) {
		sub := r.Object("tree", entry("100644", "f", blob))
		tree := r.Object("tree", entry("040000", "d", sub))
		tip := commit(tree, sig)
		h.push(t, r.PackObjects(tip, tree, sub, blob), repo.Ref{Name: "refs/heads/x", OID: tip})
	})
}

func TestLimits(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	tip := r.Commit("f", randomText(100_000))
	data := r.Pack("master")
	h.refuse(t, data, repo.ErrTooLarge, repo.Limits{PackBytes: int64(len(data)) - 1}, tip)
	h.refuse(t, data, repo.ErrTooLarge, repo.Limits{BlobBytes: 99_999}, tip)
	in, err := h.Receive(t.Context(), h.snapshot(), bytes.NewReader(data), []oid.ID{tip}, repo.Limits{PackBytes: int64(len(data)), BlobBytes: 100_000}, nil)
	if err != nil {
		t.Fatalf("exactly at the limits: %v", err)
	}
	h.publish(t, in, master(tip))

	// A blob whose size shows only in the delta that makes it.
	text := strings.Repeat("0123456789abcdef\n", 6000)
	small := r.Commit("t", text)
	h.push(t, r.Pack("master", "^"+tip.String()), master(small))
	grown := r.Commit("t", text+text)
	thin := r.Pack("master", "^"+small.String())
	if len(thin) > 5000 {
		t.Fatalf("the pack has %d bytes: it has no delta", len(thin))
	}
	h.refuse(t, thin, repo.ErrTooLarge, repo.Limits{BlobBytes: int64(len(text)) + 10}, grown)
}

// TestSubmodules: the second push refers to a .gitmodules that is there already.
func TestSubmodules(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	r.Commit("f", "1")
	r.Git("update-index", "--add", "--cacheinfo", "160000,"+strings.Repeat("ab", 20)+",sub")
	r.Git("commit", "--quiet", "--message=s")
	first := r.Commit(".gitmodules", "[submodule \"sub\"]\n\tpath = sub\n\turl = https://example.com/sub\n")
	h.push(t, r.Pack("master"), master(first))
	second := r.Commit("f", "2")
	h.push(t, r.Pack("master", "^"+first.String()), master(second))
	h.fsck(t)
	evil := r.Commit(".gitmodules", "[submodule \"sub\"]\n\tpath = sub\n\turl = --upload-pack=evil\n")
	if err := h.refuse(t, r.Pack("master", "^"+second.String()), repo.ErrBadPack, repo.Limits{}, evil); !strings.Contains(err.Error(), "gitmodulesUrl") {
		t.Errorf("the reason is %v", err)
	}
	// Git says it of each line of the section.
	evil = r.Commit(".gitmodules", "[submodule \"..\"]\n\tpath = sub\n\turl = https://example.com/sub\n")
	if err := h.refuse(t, r.Pack("master", "^"+second.String()), repo.ErrBadPack, repo.Limits{}, evil); strings.Count(err.Error(), "gitmodulesName") != 1 {
		t.Errorf("the reason is %v", err)
	}
}

// TestProcesses counts them: an ordinary push runs none, nor does what is read before and
// after it.
func TestProcesses(t *testing.T) {
	change, ran := counting(t)
	h := newHost(t, change)
	r, commits := history(t, h)
	if _, err := h.readCommit(t, commits[4]); err != nil { // starts the process that stays
		t.Fatal(err)
	}
	ran()
	tip := r.Commit("g", "1")
	in, err := h.Receive(t.Context(), h.snapshot(), bytes.NewReader(r.Pack("master", "^"+commits[4].String())), []oid.ID{tip}, repo.Limits{BlobBytes: 1 << 30}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o, err := in.Objects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for ancestor, want := range map[oid.ID]bool{commits[0]: true, commits[4]: true, tip: true} {
		if ok, err := o.IsAncestor(t.Context(), ancestor, tip); ok != want || err != nil {
			t.Errorf("%v (%v)", ok, err)
		}
	}
	if ok, err := o.IsAncestor(t.Context(), tip, commits[4]); ok || err != nil {
		t.Errorf("%v (%v)", ok, err)
	}
	if _, _, err := o.Peel(t.Context(), tip); err != nil {
		t.Error(err)
	}
	_ = o.Close()
	h.publish(t, in, master(tip))
	if _, err := h.readCommit(t, tip); err != nil {
		t.Error(err)
	}
	if lines := ran(); lines != "" {
		t.Errorf("a push ran processes:\n%s", lines)
	}
}

// TestBomb: a small pack whose object unpacks to more than the memory allowed.
func TestBomb(t *testing.T) {
	h := newHost(t, func(o *repo.Options) { o.Memory = 48 << 20 })
	r := gittest.Init(t)
	zeros := strings.Repeat("\x00", 8<<20)
	tip := r.Commit("zeros", zeros)
	h.push(t, r.Pack("master"), master(tip))
	// Under the size from which git unpacks in pieces, a delta makes one object of 200
	// MiB out of copies of the 8 MiB that are there.
	h.refuse(t, deltaBomb(t, r.ID("HEAD:zeros"), 8<<20, 25), repo.ErrTooLarge, repo.Limits{BlobBytes: 100 << 20})
}

// deltaBomb is a pack of one delta that copies its base again and again.
func deltaBomb(t *testing.T, base oid.ID, size, times int) []byte {
	t.Helper()
	var delta []byte
	delta = binary.AppendUvarint(delta, uint64(size))
	delta = binary.AppendUvarint(delta, uint64(size*times))
	const piece = 0xffff00 // the longest copy
	for range times {
		for at := 0; at < size; at += piece {
			n := min(piece, size-at)
			delta = append(delta, 0x80|0x0f|0x70, byte(at), byte(at>>8), byte(at>>16), byte(at>>24), byte(n), byte(n>>8), byte(n>>16))
		}
	}
	b := []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01")
	first, rest := byte(7<<4|len(delta)&15), len(delta)>>4
	b = append(b, first|0x80)
	b = binary.AppendUvarint(b, uint64(rest))
	b = append(b, base[:]...)
	b = append(b, deflate(t, delta)...)
	sum := sha1.Sum(b)
	return append(b, sum[:]...)
}

func TestReaderFails(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	tip := r.Commit("f", randomText(200_000))
	data := r.Pack("master")
	boom := errors.New("connection reset")
	for _, n := range []int{0, 5, 12, len(data) / 2, len(data) - 1} {
		_, err := h.Receive(t.Context(), h.snapshot(), io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(boom)), []oid.ID{tip}, repo.Limits{}, nil)
		if !errors.Is(err, boom) || errors.Is(err, repo.ErrBadPack) {
			t.Errorf("after %d bytes: %v, want the reader's error", n, err)
		}
	}
	h.wantNoLeftovers(t)
}

func TestCancelledReceive(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	tip := r.Commit("f", randomText(200_000))
	data := r.Pack("master")
	h.cancelled(t, data, tip)
	h.wantNoLeftovers(t)
}

// TestCloseEndsReceive: closing the house does not wait for a client that is silent.
func TestCloseEndsReceive(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	tip := r.Commit("f", randomText(200_000))
	data := r.Pack("master")
	pr, pw := io.Pipe()
	defer func() { _ = pw.Close() }()
	go func() {
		_, _ = pw.Write(data[:len(data)/2])
		_ = h.House.Close()
	}()
	if _, err := h.Receive(t.Context(), h.snapshot(), pr, []oid.ID{tip}, repo.Limits{}, nil); !errors.Is(err, repo.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	h.wantNoLeftovers(t)
	if _, err := h.Objects(t.Context(), h.snapshot()); !errors.Is(err, repo.ErrClosed) {
		t.Errorf("objects of a closed house: %v", err)
	}
}

func TestPushWithoutObjects(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	first := r.Commit("f", "1")
	second := r.Commit("f", "2")
	h.push(t, r.Pack("master"), master(second))
	empty := r.PackObjects()
	for name, pack := range map[string]io.Reader{"nil": nil, "empty": bytes.NewReader(empty)} {
		in, err := h.Receive(t.Context(), h.snapshot(), pack, []oid.ID{first}, repo.Limits{}, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		o, err := in.Objects(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := o.IsAncestor(t.Context(), first, second); !ok || err != nil {
			t.Errorf("%s: %v (%v)", name, ok, err)
		}
		_ = o.Close()
		if _, ok, err := in.Publish(t.Context()); ok || err != nil {
			t.Errorf("%s: there was something to publish (%v)", name, err)
		}
		in.Committed(t.Context())
		in.Discard()
	}
	h.wantNoLeftovers(t)
}

// TestQuarantine: before the commit only the one who brought the objects sees them.
func TestQuarantine(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	text := strings.Repeat("a line that makes a delta\n", 400)
	first := r.Commit("f", text)
	h.push(t, r.Pack("master"), master(first))
	second := r.Commit("f", text+"more")
	blob := r.ID("HEAD:f")
	in, err := h.Receive(t.Context(), h.snapshot(), bytes.NewReader(r.Pack("master", "^"+first.String())), []oid.ID{second}, repo.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o, err := in.Objects(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = o.Close() }()
	look := func(when string) {
		if c, err := o.Commit(t.Context(), second); err != nil || len(c.Parents) != 1 || c.Parents[0] != first {
			t.Errorf("%s: commit %+v (%v)", when, c, err)
		}
		if b, err := o.Blob(t.Context(), blob, 1<<20); err != nil || string(b) != text+"more" { // came as a delta
			t.Errorf("%s: blob of %d bytes (%v)", when, len(b), err)
		}
		if b, err := o.Blob(t.Context(), r.ID("HEAD^:f"), 1<<20); err != nil || string(b) != text {
			t.Errorf("%s: old blob of %d bytes (%v)", when, len(b), err)
		}
		if ok, err := o.IsAncestor(t.Context(), first, second); !ok || err != nil {
			t.Errorf("%s: %v (%v)", when, ok, err)
		}
		if ok, err := o.IsAncestor(t.Context(), second, first); ok || err != nil {
			t.Errorf("%s: the other way: %v (%v)", when, ok, err)
		}
	}
	look("in quarantine")
	if _, err := h.readCommit(t, second); !errors.Is(err, repo.ErrObjectNotFound) {
		t.Errorf("others see the quarantined commit (%v)", err)
	}
	h.publish(t, in, master(second))
	look("after the commit")
	if _, err := h.readCommit(t, second); err != nil {
		t.Error(err)
	}
	h.wantNoLeftovers(t)
}

func TestDiscardAndAbandon(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	tip := r.Commit("f", randomText(200_000))
	data := r.Pack("master")
	receive := func() (*repo.Incoming, repo.Pack) {
		in, err := h.Receive(t.Context(), h.snapshot(), bytes.NewReader(data), []oid.ID{tip}, repo.Limits{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		p, _, err := in.Publish(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return in, p
	}
	in, kept := receive()
	in.Discard()
	in.Discard()
	if _, err := h.blobs.Stat(t.Context(), kept.Key+".pack"); err != nil {
		t.Errorf("a pack whose transaction may have committed is gone: %v", err)
	}
	in, gone := receive()
	in.Abandon()
	in.Abandon()
	for _, ext := range []string{".pack", ".idx"} {
		if _, err := h.blobs.Stat(t.Context(), gone.Key+ext); err == nil {
			t.Errorf("the abandoned %s is still there", ext)
		}
	}
	in, committed := receive()
	h.commit(committed, true, master(tip))
	in.Committed(t.Context())
	in.Abandon() // too late
	if _, err := h.blobs.Stat(t.Context(), committed.Key+".pack"); err != nil {
		t.Errorf("a committed pack was abandoned: %v", err)
	}
	h.wantNoLeftovers(t)

	orphans, err := h.Orphans(t.Context(), func(key string) bool { return key == committed.Key }, -1e9)
	if err != nil || len(orphans) != 2 || orphans[0].Key != kept.Key+".idx" || orphans[1].Key != kept.Key+".pack" {
		t.Errorf("orphans are %v (%v)", orphans, err)
	}
	if orphans, err = h.Orphans(t.Context(), func(string) bool { return false }, 1e12); err != nil || len(orphans) != 0 {
		t.Errorf("young orphans are %v (%v)", orphans, err)
	}
}

func TestBuild(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	first := r.Commit("f", "1")
	h.push(t, r.Pack("master"), master(first))
	blob := object.Raw{Type: object.Blob, Content: []byte("made by the API")}
	content, err := object.EncodeTree([]object.TreeEntry{{Mode: object.ModeFile, Name: "f", ID: r.ID("HEAD:f")}, {Mode: object.ModeExecutable, Name: "g", ID: blob.ID()}})
	if err != nil {
		t.Fatal(err)
	}
	tree := object.Raw{Type: object.Tree, Content: content}
	who := object.Signature{Name: "Ada", Email: "a@b", Date: "1700000000 +0000"}
	c := &object.CommitObject{Tree: tree.ID(), Parents: []oid.ID{first}, Author: who, Committer: who, Message: "m\n"}
	commit := object.Raw{Type: object.Commit, Content: c.Encode()}
	in, err := h.Build(t.Context(), h.snapshot(), []object.Raw{blob, tree, commit, blob}, []oid.ID{commit.ID()})
	if err != nil {
		t.Fatal(err)
	}
	if p := h.publish(t, in, master(commit.ID())); p.Objects != 3 {
		t.Errorf("the pack has %d objects", p.Objects)
	}
	got, err := h.readCommit(t, commit.ID())
	if err != nil || got.Tree != tree.ID() {
		t.Errorf("%+v (%v)", got, err)
	}
	h.fsck(t)

	c.Parents = []oid.ID{{1}}
	orphan := object.Raw{Type: object.Commit, Content: c.Encode()}
	if _, err := h.Build(t.Context(), h.snapshot(), []object.Raw{orphan}, []oid.ID{orphan.ID()}); !errors.Is(err, repo.ErrBadPack) {
		t.Errorf("a commit without its parent: %v", err)
	}
	in, err = h.Build(t.Context(), h.snapshot(), nil, []oid.ID{first})
	if err != nil {
		t.Fatal(err)
	}
	in.Discard()
	h.wantNoLeftovers(t)
}

func TestProgress(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	var text strings.Builder
	var tip oid.ID
	for i := range 20 {
		fmt.Fprintf(&text, "line %d of a text that makes a good delta when there is more of it\n", i)
		tip = r.Commit("f", text.String())
	}
	var progress bytes.Buffer
	in, err := h.Receive(t.Context(), h.snapshot(), bytes.NewReader(r.Pack("master")), []oid.ID{tip}, repo.Limits{}, &progress)
	if err != nil {
		t.Fatal(err)
	}
	in.Discard()
	if !strings.Contains(progress.String(), "Resolving deltas: 100%") {
		t.Errorf("progress is %q", &progress)
	}
}

// TestLeftoversOfACrash: what a killed host left is gone when the next one starts, and
// packs that no snapshot lists are not served from the cache.
func TestLeftoversOfACrash(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	first := r.Commit("f", "1")
	h.push(t, r.Pack("master"), master(first))
	second := r.Commit("f", "2")
	in, err := h.Receive(t.Context(), h.snapshot(), bytes.NewReader(r.Pack("master", "^"+first.String())), []oid.ID{second}, repo.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := in.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	in.Committed(t.Context()) // it was not: the host believes what the database forgot
	h.reopen(t)
	h.wantNoLeftovers(t)
	if _, err := h.readCommit(t, second); !errors.Is(err, repo.ErrObjectNotFound) {
		t.Errorf("a pack that nothing lists is served (%v)", err)
	}
	if _, err := h.readCommit(t, first); err != nil {
		t.Error(err)
	}
	if err := os.MkdirAll(filepath.Join(h.options.CacheDir, "~incoming", "run", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	h.reopen(t)
	h.wantNoLeftovers(t)
}
