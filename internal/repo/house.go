// Package repo keeps the objects of repositories. A repository is what the metadata
// store says: a [Snapshot] lists its refs and its packs. The packs are immutable and
// lie in the metadata store (small ones) or the blob store; a [House] takes new ones in
// and serves what is there.
//
// To let git work on them, a House keeps a bare repository for each in a cache folder,
// filled from the stores when needed. The cache holds nothing else: refs are written
// beside it only for the one git command that wants them (a view), and git never
// repacks or prunes there. It may be deleted while the host is down.
//
// An incoming pack waits in quarantine, a folder of objects of its own, until it was
// checked and made durable and the transaction that lists it has committed. Moving refs
// is not done here.
package repo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/git/catfile"
	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/repo/replay"
	"github.com/refward/refward/internal/share"
)

// Options configure a House. CacheDir, Blobs, Packs, Git, Log and Now are required.
type Options struct {
	CacheDir string // deletable at any time when the host is down
	Blobs    blob.Store
	Packs    PackReader
	Git      *gitcmd.Git
	Log      *slog.Logger
	Now      func() time.Time

	// Link makes a file of the cache a second name of a blob, where the blob store is
	// a folder on the same file system. Nil, or an error: the blob is copied.
	Link func(key, path string) error

	// Adopt makes a file of the cache a blob without copying it, under the same
	// condition. Nil, or an error other than [blob.ErrExists]: the file is put.
	Adopt func(ctx context.Context, key, path string) error

	// InlineLimit is the size up to which a pack goes into the metadata store. Zero:
	// 64 KiB.
	InlineLimit int64
	// Answers bounds the bytes of answers to fetches that are kept in the cache folder, so
	// that the next one who asks the same gets them from there. Zero: 4 GiB.
	Answers int64
	// AnswersWait bounds how long a fetch waits for room in the share of who asks. Zero: 2
	// minutes.
	AnswersWait time.Duration
	// Memory bounds what one process that unpacks what a client sent may allocate, in
	// bytes. Zero: 4 GiB.
	Memory uint64
}

const (
	defaultInlineLimit = 64 << 10
	defaultMemory      = 4 << 30
)

// House keeps the repositories' objects of one host: it fills the cache of bare
// repositories from the blob store and the metadata store, reads objects and takes new
// ones in. Safe for concurrent use.
type House struct {
	Options
	incoming string // where this run keeps quarantines and files being fetched

	readers *catfile.Pool
	open    openPacks
	answers *replay.Cache
	ids     packIDs
	fills   chan struct{} // bounds the packs that are fetched at once

	unpacking *share.Gate // before the packs that are taken in here, without a process
	packing   *share.Gate // before those that are made here

	life context.Context // ends with Close
	end  context.CancelFunc
	work sync.WaitGroup // what runs apart from a request

	mu    sync.Mutex // guards repos, and that nothing starts after Close
	repos map[ID]*cached
}

// maxFills bounds the packs that are fetched into the cache at once.
const maxFills = 8

// Open prepares the cache folder and removes what a crash left there. Values of ctx
// are kept, its end is not: the House lives until Close.
func Open(ctx context.Context, o Options) (*House, error) {
	if o.InlineLimit == 0 {
		o.InlineLimit = defaultInlineLimit
	}
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	dir, err := filepath.Abs(o.CacheDir)
	if err != nil {
		return nil, fmt.Errorf("open repository cache: %w", err)
	}
	o.CacheDir = dir
	if err := gitcmd.CheckFolder(dir); err != nil {
		return nil, fmt.Errorf("open repository cache: %w", err)
	}
	incoming, err := prepareCache(dir)
	if err != nil {
		return nil, fmt.Errorf("open repository cache: %w", err)
	}
	h := &House{Options: o, incoming: incoming, fills: make(chan struct{}, maxFills),
		unpacking: gateHere("pushes"), packing: gateHere("fetches"), repos: map[ID]*cached{}}
	h.ids.now = o.Now
	h.life, h.end = context.WithCancel(context.WithoutCancel(ctx))
	h.readers = catfile.NewPool(h.life, o.Git)
	h.answers, err = replay.Open(replay.Options{Dir: filepath.Join(dir, answersDir), Disk: o.Answers, Wait: o.AnswersWait, Go: h.start, Life: h.life, Now: o.Now})
	if err != nil {
		h.end()
		return nil, fmt.Errorf("open repository cache: %w", err)
	}
	return h, nil
}

// Close ends all processes and waits for what runs apart from requests. Requests under
// way fail.
func (h *House) Close() error {
	h.mu.Lock() // see House.start
	h.end()
	h.mu.Unlock()
	h.readers.Close()
	h.work.Wait()
	h.open.forget(func(string) bool { return true })
	return nil
}

// start runs f apart from the request, unless the House was closed.
func (h *House) start(f func()) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.life.Err() != nil {
		return ErrClosed
	}
	h.work.Go(f)
	return nil
}

// bind returns a context that ends with ctx or with the House.
func (h *House) bind(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(h.life, func() { cancel(ErrClosed) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// idPattern is what an ID may be, since it names a folder.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,63}$`)

// cached returns the cache of a repository, which may be empty still.
func (h *House) cached(id ID) (*cached, error) {
	if !idPattern.MatchString(string(id)) {
		return nil, fmt.Errorf("%q is no ID of a repository", id)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.repos[id]
	if !ok {
		c = &cached{id: id, dir: filepath.Join(h.CacheDir, string(id)), packs: map[string]*fill{}, views: map[int64]*view{}}
		h.repos[id] = c
	}
	return c, nil
}

// newIncoming returns a new path for what is incoming.
func (h *House) newIncoming() string { return filepath.Join(h.incoming, h.ids.next()) }

// Remove forgets the cache of a deleted repository.
func (h *House) Remove(id ID) error {
	c, err := h.cached(id)
	if err != nil {
		return err
	}
	h.mu.Lock()
	delete(h.repos, id)
	h.mu.Unlock()
	c.abandon()
	h.forgetPacks(c)
	h.answers.Drop(string(id))
	// Renamed first: a request that still comes then finds all or nothing.
	gone := h.newIncoming()
	if err := os.Rename(c.dir, gone); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("remove the cache of %s: %w", id, err)
	}
	h.forgetPacks(c) // again: one may have been opened in between
	if err := os.RemoveAll(gone); err != nil {
		return fmt.Errorf("remove the cache of %s: %w", id, err)
	}
	return nil
}
