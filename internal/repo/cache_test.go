package repo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// countingStore counts reads, and fails the writes that it is told to.
type countingStore struct {
	blob.Store
	gets    atomic.Int64
	puts    atomic.Int64
	failPut int64 // number of the put that fails; 0: none
	after   bool  // fail after having stored half of it
}

var errDisk = errors.New("the disk is on fire")

// Get counts.
func (s *countingStore) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	s.gets.Add(1)
	return s.Store.Get(ctx, key)
}

// Put counts and fails.
func (s *countingStore) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if s.puts.Add(1) == s.failPut {
		if s.after {
			_, _ = io.CopyN(io.Discard, r, size/2)
		}
		return errDisk
	}
	return s.Store.Put(ctx, key, r, size)
}

// TestParallelFills: many readers of a cold cache bring each pack once.
func TestParallelFills(t *testing.T) {
	store := &countingStore{}
	h := newHost(t, func(o *repo.Options) { store.Store, o.Blobs, o.InlineLimit = o.Blobs, store, 2500 })
	_, commits := history(t, h)
	large := 0
	for _, p := range h.packs {
		if !p.IsInline() {
			large++
		}
	}
	if large == 0 || large == len(h.packs) {
		t.Fatalf("%d of %d packs are large: the test needs both kinds", large, len(h.packs))
	}
	if err := h.House.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(h.options.CacheDir); err != nil {
		t.Fatal(err)
	}
	h.reopen(t)
	store.gets.Store(0)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, id := range commits {
				if _, err := h.readCommit(t, id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := store.gets.Load(); got != int64(2*large) {
		t.Errorf("%d blobs were read for %d packs, want two for each", got, large)
	}
	h.wantNoLeftovers(t)
}

// TestLink: in a folder store the cache and the blobs share their bytes.
func TestLink(t *testing.T) {
	h := newHost(t, func(o *repo.Options) { o.InlineLimit = 1 })
	h.options.Link, h.options.Adopt = h.blobs.Link, h.blobs.Adopt
	h.reopen(t)
	_, commits := history(t, h)
	shared := func(when string) {
		t.Helper()
		p := h.packs[0]
		for _, ext := range []string{".pack", ".idx"} {
			cached, err := os.Stat(filepath.Join(h.options.CacheDir, string(theID), "objects", "pack", "pack-"+p.ID+ext))
			if err != nil {
				t.Fatal(err)
			}
			again := filepath.Join(t.TempDir(), "p")
			if err := h.blobs.Link(p.Key+ext, again); err != nil {
				t.Fatal(err)
			}
			if stored, err := os.Stat(again); err != nil || !os.SameFile(cached, stored) {
				t.Errorf("%s, the cached %s is a copy (%v)", when, ext, err)
			}
		}
	}
	shared("after the push")
	if err := h.Remove(theID); err != nil {
		t.Fatal(err)
	}
	if _, err := h.readCommit(t, commits[4]); err != nil {
		t.Fatal(err)
	}
	shared("fetched again")
	h.fsck(t)
}

// TestPublishFails: each write in turn fails; nothing is left, and the next push works.
func TestPublishFails(t *testing.T) {
	for _, fail := range []int64{1, 2} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("put %d, %v", fail, after), func(t *testing.T) {
				store := &countingStore{failPut: fail, after: after}
				h := newHost(t, func(o *repo.Options) { store.Store, o.Blobs, o.InlineLimit = o.Blobs, store, 1 })
				r := gittest.Init(t)
				tip := r.Commit("f", "1")
				data := r.Pack("master")
				in, err := h.Receive(t.Context(), h.snapshot(), strings.NewReader(string(data)), []oid.ID{tip}, repo.Limits{}, nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, ok, err := in.Publish(t.Context()); ok || !errors.Is(err, errDisk) {
					t.Errorf("publish answered %v (%v)", ok, err)
				}
				in.Committed(t.Context()) // even by mistake
				in.Discard()
				h.wantNoLeftovers(t)
				_ = h.blobs.List(t.Context(), "", func(i blob.Info) bool {
					t.Errorf("%s is left", i.Key)
					return true
				})
				if _, err := h.readCommit(t, tip); !errors.Is(err, repo.ErrObjectNotFound) {
					t.Errorf("an unpublished commit is served (%v)", err)
				}
				h.push(t, data, master(tip))
				h.fsck(t)
			})
		}
	}
}

func TestPublishCancelled(t *testing.T) {
	h := newHost(t, func(o *repo.Options) { o.InlineLimit = 1 })
	r := gittest.Init(t)
	tip := r.Commit("f", "1")
	in, err := h.Receive(t.Context(), h.snapshot(), strings.NewReader(string(r.Pack("master"))), []oid.ID{tip}, repo.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Discard()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, ok, err := in.Publish(ctx); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("publish answered %v (%v)", ok, err)
	}
}

// TestStoresThatLie: a pack that is gone or changed is told, and not cached.
func TestStoresThatLie(t *testing.T) {
	h := newHost(t, func(o *repo.Options) { o.InlineLimit = 2500 })
	_, commits := history(t, h)
	cold := func(t *testing.T) {
		if err := h.Remove(theID); err != nil {
			t.Fatal(err)
		}
	}
	inline := slices.IndexFunc(h.packs, repo.Pack.IsInline)
	id := h.packs[inline].ID
	data := h.inline[id]
	t.Run("gone from the metadata store", func(t *testing.T) {
		cold(t)
		h.setInline(id, nil)
		if _, err := h.readCommit(t, commits[0]); !errors.Is(err, repo.ErrPackGone) {
			t.Errorf("got %v, want ErrPackGone", err)
		}
	})
	t.Run("changed in the metadata store", func(t *testing.T) {
		h.setInline(id, append(slices.Clone(data[:len(data)-1]), 'x'))
		if _, err := h.readCommit(t, commits[0]); err == nil {
			t.Error("a changed pack was taken")
		}
	})
	h.setInline(id, data)
	if _, err := h.readCommit(t, commits[0]); err != nil { // and waits for what is on its way
		t.Error(err)
	}
	large := slices.IndexFunc(h.packs, func(p repo.Pack) bool { return !p.IsInline() })
	key := h.packs[large].Key
	t.Run("changed in the blob store", func(t *testing.T) {
		cold(t)
		r, err := h.blobs.Get(t.Context(), key+".pack")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close(), h.blobs.Delete(t.Context(), key+".pack")); err != nil {
			t.Fatal(err)
		}
		if err := h.blobs.Put(t.Context(), key+".pack", strings.NewReader(string(b[:len(b)-1])+"x"), int64(len(b))); err != nil {
			t.Fatal(err)
		}
		if _, err := h.readCommit(t, commits[0]); err == nil {
			t.Error("a changed pack was taken")
		}
		if err := h.blobs.Delete(t.Context(), key+".pack"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.readCommit(t, commits[0]); !errors.Is(err, repo.ErrPackGone) {
			t.Errorf("got %v, want ErrPackGone", err)
		}
		if err := h.blobs.Put(t.Context(), key+".pack", strings.NewReader(string(b)), int64(len(b))); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("and all is well again", func(t *testing.T) {
		if _, err := h.readCommit(t, commits[0]); err != nil {
			t.Error(err)
		}
		h.wantNoLeftovers(t)
	})
}

// TestMachineCrash: a cache of another boot is not trusted, one that lacks a file is
// completed.
func TestMachineCrash(t *testing.T) {
	h := newHost(t)
	_, commits := history(t, h)
	packs := filepath.Join(h.options.CacheDir, string(theID), "objects", "pack")
	if err := h.House.Close(); err != nil {
		t.Fatal(err)
	}
	truncate := func() {
		t.Helper()
		path := filepath.Join(packs, "pack-"+h.packs[2].ID+".idx")
		_ = os.Remove(path)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	truncate()
	h.reopen(t)
	if _, err := h.readCommit(t, commits[2]); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(h.options.CacheDir, "~boot"), []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.reopen(t)
	if _, err := os.Stat(packs); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a cache of another boot was kept (%v)", err)
	}
	if _, err := h.readCommit(t, commits[2]); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	h := newHost(t)
	o := h.options
	o.CacheDir = filepath.Join(t.TempDir(), "a:b")
	if _, err := repo.Open(t.Context(), o); err == nil || !strings.Contains(err.Error(), "choose another folder") {
		t.Errorf("a folder with a colon: %v", err)
	}
	for _, id := range []repo.ID{"", "..", "a/b", "~incoming", ".", "-x", repo.ID(strings.Repeat("a", 65))} {
		if _, err := h.Objects(t.Context(), &repo.Snapshot{ID: id}); err == nil {
			t.Errorf("the ID %q was taken", id)
		}
		if err := h.Remove(id); err == nil {
			t.Errorf("the ID %q was removed", id)
		}
	}
}

func TestRemove(t *testing.T) {
	h := newHost(t)
	_, commits := history(t, h)
	for range 2 {
		if err := h.Remove(theID); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(h.options.CacheDir, string(theID))); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the cache is still there (%v)", err)
		}
	}
	h.wantNoLeftovers(t)
	if _, err := h.readCommit(t, commits[0]); err != nil { // its packs are still stored
		t.Error(err)
	}
}

// TestParallelPushes: pushers and readers of one repository at the same time.
func TestParallelPushes(t *testing.T) {
	h := newHost(t)
	r, commits := history(t, h)
	const pushers = 4
	packs, tips := make([][]byte, pushers), make([]oid.ID, pushers)
	for i := range pushers {
		r.Git("checkout", "--quiet", "-b", fmt.Sprint("b", i), "master")
		tips[i] = r.Commit("f", randomText(40_000+20_000*i))
		packs[i] = r.Pack(tips[i].String(), "^"+commits[4].String())
	}
	var wg sync.WaitGroup
	for i := range pushers {
		wg.Go(func() { h.push(t, packs[i], repo.Ref{Name: refname.Branch(fmt.Sprint("b", i)), OID: tips[i]}) })
		wg.Go(func() {
			for range 5 {
				if _, err := h.readCommit(t, commits[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, tip := range tips {
		if _, err := h.readCommit(t, tip); err != nil {
			t.Error(err)
		}
	}
	h.wantNoLeftovers(t)
	h.fsck(t)
}

// TestPackIDs are in order although the clock is not.
func TestPackIDs(t *testing.T) {
	clock := time.UnixMilli(1_700_000_000_000)
	h := newHost(t, func(o *repo.Options) { o.Now = func() time.Time { return clock } })
	r := gittest.Init(t)
	last, base := "", ""
	for i, step := range []time.Duration{0, 0, -time.Hour, time.Millisecond, 2 * time.Hour} {
		clock = clock.Add(step)
		tip := r.Commit("f", fmt.Sprint(i))
		revs := []string{"master"}
		if base != "" {
			revs = append(revs, "^"+base)
		}
		p := h.push(t, r.Pack(revs...), master(tip))
		if len(p.ID) != 26 || p.ID <= last || strings.Trim(p.ID, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") != "" {
			t.Errorf("ID %q after %q", p.ID, last)
		}
		if i == 0 && !strings.HasPrefix(p.ID, "01HF7YAT00") { // as other makers of ULIDs write the time
			t.Errorf("ID %q does not begin with the time", p.ID)
		}
		last, base = p.ID, tip.String()
	}
}

// TestOpenBesideSurvivor: a git that outlived the killed process still writes to its
// scratch folder, and makes the folders above it again as git does for every temporary
// file. No start fails on it, and a later one removes what it left.
func TestOpenBesideSurvivor(t *testing.T) {
	h := newHost(t)
	runs, err := filepath.Glob(filepath.Join(h.options.CacheDir, "~incoming", "*"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("folders of runs: %v (%v), want one", runs, err)
	}
	scratch := filepath.Join(runs[0], "01M89ECMRM2TGQDYKE0PBK4MEE", "git", "objects")
	ended := make(chan struct{})
	var began, writing sync.WaitGroup
	for i := range 4 {
		began.Add(1)
		writing.Go(func() {
			for n := 0; ; n++ {
				_ = os.MkdirAll(scratch, 0o700)
				_ = os.WriteFile(filepath.Join(scratch, fmt.Sprint("tmp_pack_", i, "_", n)), nil, 0o600)
				if n == 0 {
					began.Done()
				}
				select {
				case <-ended:
					return
				default:
				}
			}
		})
	}
	began.Wait()
	for range 20 {
		h.reopen(t)
	}
	close(ended)
	writing.Wait()
	if err := os.MkdirAll(scratch, 0o700); err != nil {
		t.Fatal(err)
	}
	h.reopen(t)
	h.wantNoLeftovers(t)
	runs, err = filepath.Glob(filepath.Join(h.options.CacheDir, "~incoming", "*"))
	if err != nil || len(runs) != 1 {
		t.Errorf("folders of runs: %v (%v), want one", runs, err)
	}
}
