package repo_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/repo"
)

func openObjects(t testing.TB, h *host) *repo.Objects {
	t.Helper()
	o, err := h.Objects(t.Context(), h.snapshot())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close() })
	return o
}

func TestObjects(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	commit := r.Commit("d/f", "content")
	tree, blob := r.ID("HEAD^{tree}"), r.ID("HEAD:d/f")
	r.Git("tag", "-a", "-m", "t", "v1")
	r.Git("tag", "-a", "-m", "t", "v2", "v1")
	r.Git("tag", "-a", "-m", "t", "onblob", blob.String())
	tag, tagOfTag := r.ID("v1"), r.ID("v2")
	h.push(t, r.Pack("master", "v1", "v2", "onblob"), master(commit), repo.Ref{Name: "refs/tags/v2", OID: tagOfTag, Peeled: commit})
	o := openObjects(t, h)

	for id, want := range map[oid.ID]object.Type{commit: object.Commit, tree: object.Tree, blob: object.Blob, tag: object.Tag} {
		if typ, size, err := o.Info(t.Context(), id); typ != want || size == 0 || err != nil {
			t.Errorf("%s is a %s of %d bytes (%v)", id, typ, size, err)
		}
	}
	entries, err := o.Tree(t.Context(), tree)
	want := []object.TreeEntry{{Mode: object.ModeTree, Name: "d", ID: r.ID("HEAD:d")}}
	if d := cmp.Diff(want, entries); d != "" || err != nil {
		t.Errorf("tree (-want +got):\n%s (%v)", d, err)
	}
	if b, err := o.Blob(t.Context(), blob, 7); string(b) != "content" || err != nil {
		t.Errorf("blob %q (%v)", b, err)
	}
	if _, err := o.Blob(t.Context(), blob, 6); !errors.Is(err, repo.ErrTooLarge) {
		t.Errorf("blob over the limit: %v", err)
	}
	for id, want := range map[oid.ID]oid.ID{tagOfTag: commit, tag: commit, commit: commit, r.ID("onblob"): blob} {
		if got, _, err := o.Peel(t.Context(), id); got != want || err != nil {
			t.Errorf("%s peels to %s (%v), want %s", id, got, err, want)
		}
	}

	missing := oid.ID{7}
	asks := map[string]func(id oid.ID) error{
		"info":   func(id oid.ID) error { _, _, err := o.Info(t.Context(), id); return err },
		"commit": func(id oid.ID) error { _, err := o.Commit(t.Context(), id); return err },
		"tree":   func(id oid.ID) error { _, err := o.Tree(t.Context(), id); return err },
		"blob":   func(id oid.ID) error { _, err := o.Blob(t.Context(), id, 10); return err },
		"peel":   func(id oid.ID) error { _, _, err := o.Peel(t.Context(), id); return err },
		"ancestor": func(id oid.ID) error {
			_, err := o.IsAncestor(t.Context(), id, commit)
			return err
		},
		"descendant": func(id oid.ID) error { _, err := o.IsAncestor(t.Context(), commit, id); return err },
		"merge base": func(id oid.ID) error { _, err := o.MergeBase(t.Context(), commit, id); return err },
	}
	for name, ask := range asks {
		if err := ask(missing); !errors.Is(err, repo.ErrObjectNotFound) {
			t.Errorf("%s of nothing: %v, want ErrObjectNotFound", name, err)
		}
	}
	for name, id := range map[string]oid.ID{"commit": tree, "tree": blob, "blob": commit, "ancestor": tag, "descendant": tag, "merge base": blob} {
		if err := asks[name](id); !errors.Is(err, repo.ErrObjectType) {
			t.Errorf("%s of another type: %v, want ErrObjectType", name, err)
		}
	}
}

// TestHistory asks about near and far commits, branches, merges and other roots, and
// compares with git's own answers.
func TestHistory(t *testing.T) {
	h, r := newHost(t), gittest.Init(t)
	var script strings.Builder
	for i := range 150 { // one process instead of 150
		fmt.Fprintf(&script, "commit refs/heads/master\nmark :%d\ncommitter A <a@b> %d +0000\ndata 1\nm\n", i+1, 1700000000+i)
	}
	for i, branch := range []string{"side", "other"} {
		for k := range 20 {
			fmt.Fprintf(&script, "commit refs/heads/%s\ncommitter A <a@b> %d +0000\ndata 1\ns\n", branch, 1700001000+k)
			if k == 0 {
				fmt.Fprintf(&script, "from :%d\n", 40+90*i)
			}
		}
	}
	script.WriteString("commit refs/heads/root\ncommitter A <a@b> 1700000000 +0000\ndata 1\nr\n")
	r.Pipe([]byte(script.String()), "fast-import", "--quiet")
	r.Git("checkout", "--quiet", "-b", "merged", "master")
	r.Git("merge", "--quiet", "--no-edit", "-s", "ours", "side")
	h.push(t, r.Pack("master", "side", "other", "root", "merged"), master(r.ID("master")))
	o := openObjects(t, h)

	revs := []string{"master", "master~149", "side", "side~25", "other", "root", "merged"}
	for _, a := range revs {
		for _, b := range revs {
			_, err := r.Try("merge-base", "--is-ancestor", a, b)
			if got, gotErr := o.IsAncestor(t.Context(), r.ID(a), r.ID(b)); gotErr != nil || got != (err == nil) {
				t.Errorf("%s is an ancestor of %s: %v (%v), want %v", a, b, got, gotErr, err == nil)
			}
			if a > b {
				continue
			}
			out, _ := r.Try("merge-base", a, b)
			got, gotErr := o.MergeBase(t.Context(), r.ID(a), r.ID(b))
			if want := strings.TrimSpace(out); gotErr != nil || want == "" && !got.IsZero() || want != "" && got.String() != want {
				t.Errorf("merge base of %s and %s: %s (%v), want %q", a, b, got, gotErr, want)
			}
		}
	}
}
