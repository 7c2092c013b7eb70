package catfile_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/refward/refward/internal/git/catfile"
	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
)

func newPool(t testing.TB) *catfile.Pool {
	t.Helper()
	gittest.Require(t)
	g, err := gitcmd.Open(t.Context(), gitcmd.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := catfile.NewPool(t.Context(), g)
	t.Cleanup(p.Close)
	return p
}

func gitDir(r *gittest.Repo) string { return filepath.Join(r.Dir, ".git") }

func TestReader(t *testing.T) {
	repo := gittest.Init(t)
	commit := repo.Commit("f", "line\nline without end")
	blob := repo.ID("HEAD:f")
	r := newPool(t).Reader(gitDir(repo))
	defer r.Release()

	if typ, size, err := r.Info(t.Context(), blob); typ != object.Blob || size != 21 || err != nil {
		t.Errorf("info: %v %d (%v)", typ, size, err)
	}
	if typ, b, err := r.Contents(t.Context(), blob, 21); typ != object.Blob || string(b) != "line\nline without end" || err != nil {
		t.Errorf("contents: %v %q (%v)", typ, b, err)
	}
	missing := object.Hash(object.Blob, []byte("no such"))
	if _, _, err := r.Info(t.Context(), missing); !errors.Is(err, catfile.ErrMissing) {
		t.Errorf("info of nothing: %v", err)
	}
	if _, _, err := r.Contents(t.Context(), missing, 1); !errors.Is(err, catfile.ErrMissing) {
		t.Errorf("contents of nothing: %v", err)
	}
	if _, _, err := r.Contents(t.Context(), blob, 20); !errors.Is(err, catfile.ErrTooLarge) {
		t.Errorf("contents over the limit: %v", err)
	}
	if typ, b, err := r.Contents(t.Context(), commit, 1<<20); typ != object.Commit || !strings.HasPrefix(string(b), "tree ") || err != nil {
		t.Errorf("contents after all that: %v %q (%v)", typ, b, err)
	}
}

// TestTooLargeAndLarge: the process of an object that nobody wants to hear out is
// given up, and the next question gets its answer.
func TestTooLargeAndLarge(t *testing.T) {
	repo := gittest.Init(t)
	repo.Commit("f", strings.Repeat("x", 3<<20))
	blob := repo.ID("HEAD:f")
	r := newPool(t).Reader(gitDir(repo))
	defer r.Release()
	if _, _, err := r.Contents(t.Context(), blob, 10); !errors.Is(err, catfile.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	if _, b, err := r.Contents(t.Context(), blob, 3<<20); len(b) != 3<<20 || err != nil {
		t.Errorf("got %d bytes (%v)", len(b), err)
	}
}

// TestNewPacksAreSeen by a process that runs already.
func TestNewObjectsAreSeen(t *testing.T) {
	repo := gittest.Init(t)
	repo.Commit("f", "1")
	r := newPool(t).Reader(gitDir(repo))
	defer r.Release()
	later := object.Hash(object.Blob, []byte("2"))
	if _, _, err := r.Info(t.Context(), later); !errors.Is(err, catfile.ErrMissing) {
		t.Fatal(err)
	}
	repo.Commit("f", "2")
	repo.Git("repack", "-adq")
	if _, size, err := r.Info(t.Context(), later); size != 1 || err != nil {
		t.Errorf("size %d (%v)", size, err)
	}
}

func TestCancelledQuestion(t *testing.T) {
	repo := gittest.Init(t)
	id := repo.Commit("f", "1")
	r := newPool(t).Reader(gitDir(repo))
	defer r.Release()
	if _, _, err := r.Info(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := r.Info(ctx, id); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if _, _, err := r.Info(t.Context(), id); err != nil {
		t.Errorf("after the cancel: %v", err)
	}
}

func TestBrokenObject(t *testing.T) {
	repo := gittest.Init(t)
	id := repo.Commit("f", "1")
	tree := repo.ID("HEAD^{tree}").String()
	repo.Write(".git/objects/"+tree[:2]+"/x", "") // the folder is there
	repo.Git("update-ref", "-d", "HEAD")
	r := newPool(t).Reader(gitDir(repo))
	defer r.Release()
	// A loose object whose content is not zlib: git ends with an error.
	broken := strings.Repeat("ab", oid.Size)
	repo.Write(".git/objects/ab/"+broken[2:], "not zlib")
	brokenID, err := oid.Parse(broken)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Contents(t.Context(), brokenID, 100); err == nil {
		t.Error("a broken object was read")
	}
	if _, _, err := r.Info(t.Context(), id); err != nil {
		t.Errorf("after the broken one: %v", err)
	}
}

func TestPoolManyReaders(t *testing.T) {
	p := newPool(t)
	repos := []*gittest.Repo{gittest.Init(t), gittest.Init(t), gittest.Init(t)}
	ids := make([]oid.ID, len(repos))
	for i, r := range repos {
		ids[i] = r.Commit("f", fmt.Sprint(i))
	}
	var wg sync.WaitGroup
	for worker := range 6 {
		wg.Go(func() {
			for i := range 30 {
				n := (worker + i) % len(repos)
				r := p.Reader(gitDir(repos[n]))
				if typ, _, err := r.Info(t.Context(), ids[n]); typ != object.Commit || err != nil {
					t.Errorf("%v (%v)", typ, err)
				}
				r.Release()
				if i == 15 {
					p.Forget(gitDir(repos[n]))
				}
			}
		})
	}
	wg.Wait()
}

func TestTemporaryReadsQuarantine(t *testing.T) {
	repo, quarantine := gittest.Init(t), gittest.Init(t)
	old := repo.Commit("f", "1")
	fresh := quarantine.Commit("g", "2")
	p := newPool(t)
	r := p.Temporary(catfile.Source{GitDir: gitDir(repo), Objects: filepath.Join(gitDir(quarantine), "objects"), Alternates: filepath.Join(gitDir(repo), "objects")})
	for _, id := range []oid.ID{old, fresh} {
		if typ, _, err := r.Info(t.Context(), id); typ != object.Commit || err != nil {
			t.Errorf("%s: %v (%v)", id, typ, err)
		}
	}
	r.Release()
	plain := p.Reader(gitDir(repo))
	defer plain.Release()
	if _, _, err := plain.Info(t.Context(), fresh); !errors.Is(err, catfile.ErrMissing) {
		t.Errorf("the repository itself has the quarantined object (%v)", err)
	}
}

func TestClosedPool(t *testing.T) {
	repo := gittest.Init(t)
	id := repo.Commit("f", "1")
	p := newPool(t)
	r := p.Reader(gitDir(repo))
	if _, _, err := r.Info(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	r.Release()
	p.Close()
	if _, _, err := r.Info(t.Context(), id); !errors.Is(err, catfile.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func BenchmarkInfo(b *testing.B) {
	repo := gittest.Init(b)
	id := repo.Commit("f", "1")
	r := newPool(b).Reader(gitDir(repo))
	defer r.Release()
	for b.Loop() {
		if _, _, err := r.Info(b.Context(), id); err != nil {
			b.Fatal(err)
		}
	}
}

// TestForgetInUse: a process that was in use when its repository was forgotten ends with
// its reader: the next one knows nothing of what was there before.
func TestForgetInUse(t *testing.T) {
	repo := gittest.Init(t)
	commit := repo.Commit("f", "1")
	repo.Git("repack", "-adq")
	p := newPool(t)
	r := p.Reader(gitDir(repo))
	if _, _, err := r.Info(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	p.Forget(gitDir(repo))
	if _, _, err := r.Info(t.Context(), commit); err != nil {
		t.Errorf("it still serves who has it: %v", err)
	}
	r.Release()
	packs, err := filepath.Glob(filepath.Join(gitDir(repo), "objects", "pack", "pack-*"))
	if err != nil || len(packs) == 0 {
		t.Fatalf("the repository has no packs (%v)", err)
	}
	for _, name := range packs {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	defer r.Release()
	if _, _, err := r.Info(t.Context(), commit); !errors.Is(err, catfile.ErrMissing) {
		t.Errorf("got %v, want ErrMissing: the old process has the old pack open", err)
	}
}
