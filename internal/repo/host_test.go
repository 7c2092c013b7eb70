package repo_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/refward/refward/internal/blob/dir"
	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/gittest"
	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// host is a House with the metadata that the store would keep for one repository.
type host struct {
	*repo.House
	options repo.Options
	blobs   *dir.Store

	mu     sync.Mutex
	gen    int64
	head   refname.Name
	refs   map[refname.Name]repo.Ref
	packs  []repo.Pack
	inline map[string][]byte
}

const theID = repo.ID("0b5c7f3e-1111-2222-3333-444455556666")

func newHost(t testing.TB, change ...func(*repo.Options)) *host {
	t.Helper()
	gittest.Require(t)
	h := &host{head: "refs/heads/master", refs: map[refname.Name]repo.Ref{}, inline: map[string][]byte{}}
	git, err := gitcmd.Open(t.Context(), gitcmd.Options{Home: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if h.blobs, err = dir.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.blobs.Close() })
	h.options = repo.Options{CacheDir: t.TempDir(), Blobs: h.blobs, Packs: h, Git: git, Log: slog.New(slog.DiscardHandler), Now: time.Now}
	for _, f := range change {
		f(&h.options)
	}
	h.reopen(t)
	return h
}

// reopen is what a restart of the host does.
func (h *host) reopen(t testing.TB) {
	t.Helper()
	if h.House != nil {
		if err := h.House.Close(); err != nil {
			t.Error(err)
		}
	}
	house, err := repo.Open(t.Context(), h.options)
	if err != nil {
		t.Fatal(err)
	}
	h.House = house
	t.Cleanup(func() {
		if err := house.Close(); err != nil {
			t.Error(err)
		}
	})
}

// PackData reads an inline pack.
func (h *host) PackData(_ context.Context, _ repo.ID, packID string) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	data, ok := h.inline[packID]
	if !ok {
		return nil, errors.New("no such pack")
	}
	return data, nil
}

// setInline changes what the metadata store has of an inline pack; nil: nothing.
func (h *host) setInline(packID string, data []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if data == nil {
		delete(h.inline, packID)
		return
	}
	h.inline[packID] = data
}

func (h *host) snapshot() *repo.Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := &repo.Snapshot{ID: theID, Gen: h.gen, Head: h.head, Packs: slices.Clone(h.packs)}
	var refs []repo.Ref
	for _, name := range slices.Sorted(maps.Keys(h.refs)) {
		refs = append(refs, h.refs[name])
	}
	s.Refs = repo.NewRefs(refs)
	return s
}

// commit is the transaction: the pack's row and the refs.
func (h *host) commit(p repo.Pack, ok bool, refs ...repo.Ref) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gen++
	if ok {
		if p.IsInline() {
			h.inline[p.ID] = p.Inline
		}
		p.Inline = nil
		h.packs = append(h.packs, p)
	}
	for _, r := range refs {
		h.refs[r.Name] = r
	}
}

// push takes a pack in, publishes it and moves refs.
func (h *host) push(t testing.TB, data []byte, refs ...repo.Ref) repo.Pack {
	t.Helper()
	var tips []oid.ID
	for _, r := range refs {
		tips = append(tips, r.OID)
	}
	in, err := h.Receive(t.Context(), h.snapshot(), repo.Ended{Reader: bytes.NewReader(data)}, tips, repo.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h.publish(t, in, refs...)
}

func (h *host) publish(t testing.TB, in *repo.Incoming, refs ...repo.Ref) repo.Pack {
	t.Helper()
	defer in.Discard()
	p, ok, err := in.Publish(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.commit(p, ok, refs...)
	in.Committed(t.Context())
	return p
}

func master(id oid.ID) repo.Ref { return repo.Ref{Name: "refs/heads/master", OID: id} }

// refuse receives a pack that must be refused, and checks that nothing is left of it.
func (h *host) refuse(t *testing.T, data []byte, want error, l repo.Limits, tips ...oid.ID) error {
	t.Helper()
	in, err := h.Receive(t.Context(), h.snapshot(), repo.Ended{Reader: bytes.NewReader(data)}, tips, l, nil)
	if err == nil {
		in.Discard()
		t.Fatalf("the pack was accepted, want %v", want)
	}
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	if strings.Contains(err.Error(), h.options.CacheDir) {
		t.Errorf("the reason tells of our folders: %v", err)
	}
	h.wantNoLeftovers(t)
	return err
}

// cancelled receives half of a pack from a reader that never ends, until it is cancelled.
func (h *host) cancelled(t *testing.T, data []byte, tip oid.ID) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	pr, pw := io.Pipe() // never ends
	defer func() { _ = pw.Close() }()
	go func() {
		_, _ = pw.Write(data[:len(data)/2])
		cancel()
	}()
	if _, err := h.Receive(ctx, h.snapshot(), pr, []oid.ID{tip}, repo.Limits{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func (h *host) wantNoLeftovers(t *testing.T) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(h.options.CacheDir, "~incoming", "*", "*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left in quarantine: %v (%v)", left, err)
	}
}

// fsck lets git check the whole repository with its refs.
func (h *host) fsck(t testing.TB) {
	t.Helper()
	snap := h.snapshot()
	o, err := h.Objects(t.Context(), snap)
	if err != nil {
		t.Fatal(err)
	}
	_ = o.Close()
	cache := filepath.Join(h.options.CacheDir, string(theID))
	r := gittest.Init(t)
	r.Git("remote", "add", "x", r.Dir)
	for ref := range snap.Refs.All() {
		r.Write(".git/"+string(ref.Name), ref.OID.String()+"\n")
	}
	r.Write(".git/objects/info/alternates", filepath.Join(cache, "objects")+"\n")
	if out := r.Git("fsck", "--full", "--strict"); strings.Contains(out, "missing") || strings.Contains(out, "error") {
		t.Errorf("fsck: %s", out)
	}
}

// readCommit reads one commit through a new Objects.
func (h *host) readCommit(t testing.TB, id oid.ID) (*object.CommitObject, error) {
	t.Helper()
	o, err := h.Objects(t.Context(), h.snapshot())
	if err != nil {
		return nil, err
	}
	defer func() { _ = o.Close() }()
	return o.Commit(t.Context(), id)
}

func deflate(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	_, err := z.Write(b)
	if err = errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
