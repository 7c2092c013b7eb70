package repo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/refward/refward/internal/blob"
)

// The names in the cache folder that are no repository's: no ID has a ~.
const (
	incomingDir = "~incoming" // a folder of each run: quarantines, and files being fetched
	answersDir  = "~answers"  // answers to fetches, of this process alone
	bootFile    = "~boot"     // the boot of the machine in which the cache was written
)

// The endings of the files of a pack.
const (
	packExt    = ".pack"
	indexExt   = ".idx"
	bitmapExt  = ".bitmap" // which objects each of some commits reaches
	reverseExt = ".rev"    // the objects in the order of the pack: a bitmap is of little use without
)

// extensions are the files that a pack has, its index last: git finds a pack by its
// index, and looks for the others then.
func (p Pack) extensions() []string {
	if p.Bitmap {
		return []string{packExt, bitmapExt, reverseExt, indexExt}
	}
	return []string{packExt, indexExt}
}

// allExtensions are those that a pack can have; a pack is removed from its index on.
func allExtensions() []string { return []string{indexExt, bitmapExt, reverseExt, packExt} }

// cacheConfig is the configuration of a bare repository in the cache. What git writes
// there need not survive a crash, and git must never tidy up.
const cacheConfig = `[core]
	repositoryFormatVersion = 0
	bare = true
	fsync = none
	logAllRefUpdates = false
	hooksPath = /dev/null
[gc]
	auto = 0
[maintenance]
	auto = false
[pack]
	threads = 2
	writeReverseIndex = false
[protocol]
	allow = never
`

// prepareCache makes the cache folder and removes quarantines and views of earlier
// runs. Files of the cache are not synced, so after a crash of the machine, not of the
// process, nothing in it can be trusted and all of it goes. It returns a folder of this
// run for what is incoming.
func prepareCache(dir string) (incoming string, err error) {
	incoming = filepath.Join(dir, incomingDir)
	if err := os.MkdirAll(incoming, 0o700); err != nil {
		return "", err
	}
	removeRuns(incoming, "")
	boot := bootID()
	last, err := os.ReadFile(filepath.Join(dir, bootFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	trusted := boot != "" && string(last) == boot
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case !e.IsDir() || !idPattern.MatchString(e.Name()):
			continue // not ours
		case trusted:
			path = filepath.Join(path, viewsDir)
		}
		if err := os.RemoveAll(path); err != nil {
			return "", err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, bootFile), []byte(boot), 0o600); err != nil {
		return "", err
	}
	return os.MkdirTemp(incoming, "")
}

// removeRuns removes what runs other than this one left. A git that outlived a killed
// process may still write there and even make the folders that it misses again, which is
// why no run uses the folder of another: removing them may fail, and is tried again at
// the next sweep or start.
func removeRuns(incoming, except string) {
	entries, _ := os.ReadDir(incoming)
	for _, e := range entries {
		if path := filepath.Join(incoming, e.Name()); path != except {
			_ = os.RemoveAll(path)
		}
	}
}

// bootID names the present boot of the machine, or is empty where that is unknown.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// cached is the bare repository of one repository in the cache.
type cached struct {
	id  ID
	dir string

	mu    sync.Mutex // guards what follows
	ready bool
	packs map[string]*fill // packs in the cache or on their way, by ID
	epoch int64            // the greatest that was seen in a fetch
	uses                   // who may have files open

	viewMu sync.Mutex // guards what follows, and is held while a view is made
	views  map[int64]*view
	tagged tagSet
}

// fill is a pack in the cache or on its way. err is set before done is closed.
type fill struct {
	done chan struct{}
	err  error
}

func (c *cached) objects() string { return filepath.Join(c.dir, "objects") }

// pack returns the path of a pack's file, without its ending.
func (c *cached) pack(packID string) string {
	return filepath.Join(c.dir, "objects", "pack", "pack-"+packID)
}

// ensure returns the cache of the snapshot's repository with all of its packs, in use
// until the lease ends.
func (h *House) ensure(ctx context.Context, snap *Snapshot) (_ *lease, err error) {
	if h.life.Err() != nil {
		return nil, ErrClosed
	}
	c, err := h.cached(snap.ID)
	if err != nil {
		return nil, err
	}
	// Before it is asked which packs are there: none of them is removed from here on.
	l := h.use(c)
	defer func() {
		if err != nil {
			l.end()
		}
	}()
	waits, err := h.begin(c, snap)
	if err != nil {
		return nil, fmt.Errorf("cache of repository %s: %w", snap.ID, err)
	}
	for _, f := range waits {
		select {
		case <-f.done:
			if f.err != nil {
				return nil, fmt.Errorf("cache of repository %s: %w", snap.ID, f.err)
			}
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return l, nil
}

// begin starts fetching the packs that the cache lacks, and returns those to wait for.
func (h *House) begin(c *cached, snap *Snapshot) (waits []*fill, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ready {
		if err := c.prepare(snap); err != nil {
			return nil, err
		}
		c.ready = true
	}
	for _, p := range snap.Packs {
		if c.replaced(p.ID) {
			continue // its objects are in another one, which is here
		}
		f, ok := c.packs[p.ID]
		if !ok {
			if f, err = h.fetch(c, p); err != nil {
				return nil, err
			}
		}
		select {
		case <-f.done:
			if f.err == nil {
				continue
			}
		default:
		}
		waits = append(waits, f)
	}
	return waits, nil
}

// prepare makes the bare repository, or takes over the one of an earlier process.
// Packs there that the snapshot does not list are not the repository's any more, and
// must go: what a new pack refers to is looked up in this folder. The snapshot was read
// by this process, so it knows every pack of an earlier one.
func (c *cached) prepare(snap *Snapshot) error {
	for _, dir := range []string{"objects/pack", "objects/info", "refs", viewsDir} {
		if err := os.MkdirAll(filepath.Join(c.dir, dir), 0o700); err != nil {
			return err
		}
	}
	err := errors.Join(
		os.WriteFile(filepath.Join(c.dir, "HEAD"), []byte("ref: "+unbornHead+"\n"), 0o600),
		os.WriteFile(filepath.Join(c.dir, "config"), []byte(cacheConfig), 0o600))
	if err != nil {
		return err
	}
	listed := make(map[string]Pack, len(snap.Packs))
	for _, p := range snap.Packs {
		listed[p.ID] = p
	}
	dir := filepath.Join(c.dir, "objects", "pack")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		id := strings.TrimPrefix(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())), "pack-")
		p, ok := listed[id]
		if ok && c.complete(p) {
			c.packs[id] = finished()
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// complete reports whether all files of a pack are there.
func (c *cached) complete(p Pack) bool {
	for _, ext := range p.extensions() {
		info, err := os.Stat(c.pack(p.ID) + ext)
		if err != nil || info.Size() == 0 || ext == packExt && info.Size() != p.Size {
			return false
		}
	}
	return true
}

func finished() *fill {
	f := &fill{done: make(chan struct{})}
	close(f.done)
	return f
}

// fetchTime bounds how long one pack may take to come.
const fetchTime = time.Hour

// fetch brings one pack into the cache, apart from the request that asked: others may
// wait for the same pack, and one that gives up must not fail them. c.mu is held.
func (h *House) fetch(c *cached, p Pack) (*fill, error) {
	f := &fill{done: make(chan struct{})}
	err := h.start(func() {
		defer close(f.done)
		ctx, cancel := context.WithTimeout(h.life, fetchTime)
		defer cancel()
		defer h.use(c).end()
		if f.err = h.fetchNow(ctx, c, p); f.err != nil {
			f.err = fmt.Errorf("fetch pack %s: %w", p.ID, f.err)
			c.mu.Lock()
			delete(c.packs, p.ID) // the next one tries again
			c.mu.Unlock()
		}
	})
	if err != nil {
		return nil, err
	}
	c.packs[p.ID] = f
	return f, nil
}

func (h *House) fetchNow(ctx context.Context, c *cached, p Pack) (err error) {
	select {
	case h.fills <- struct{}{}:
		defer func() { <-h.fills }()
	case <-ctx.Done():
		return ctx.Err()
	}
	tmp := h.newIncoming()
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	file := filepath.Join(tmp, "pack")
	if p.IsInline() {
		err = h.fetchInline(ctx, c, p, file)
	} else {
		err = h.fetchBlobs(ctx, p, file)
	}
	if err != nil {
		return err
	}
	return c.install(p, file)
}

// install moves the files of a pack into place.
func (c *cached) install(p Pack, from string) error {
	for _, ext := range p.extensions() {
		err := os.Rename(from+ext, c.pack(p.ID)+ext)
		if err != nil && !(speedsUp(ext) && errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	return nil
}

// speedsUp reports whether git can do without such a file.
func speedsUp(ext string) bool { return ext == bitmapExt || ext == reverseExt }

func (h *House) fetchInline(ctx context.Context, c *cached, p Pack, file string) error {
	data, err := h.Packs.PackData(ctx, c.id, p.ID)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPackGone, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != p.SHA256 {
		return errors.New("the stored pack is not the one that was put there: its SHA-256 differs")
	}
	if index, ok := indexSmall(data); ok {
		return writePack(file, data, index)
	}
	if err := os.WriteFile(file+packExt, data, 0o400); err != nil {
		return err
	}
	_, err = h.Git.Command("index-pack").GitDir(c.dir).Option("--threads", "1").Operand(file+packExt).Output(ctx, 4096)
	return err
}

func (h *House) fetchBlobs(ctx context.Context, p Pack, file string) error {
	for _, ext := range p.extensions() {
		if h.Link != nil && h.Link(p.Key+ext, file+ext) == nil {
			continue
		}
		sum := sha256.New()
		if err := h.copyBlob(ctx, p.Key+ext, file+ext, sum); speedsUp(ext) && errors.Is(err, ErrPackGone) {
			h.Log.WarnContext(ctx, "a pack is served without its bitmap: fsck says more", "pack", p.Key, "error", err)
			continue
		} else if err != nil {
			return err
		}
		if ext == packExt && hex.EncodeToString(sum.Sum(nil)) != p.SHA256 {
			return errors.New("the stored pack is not the one that was put there: its SHA-256 differs")
		}
	}
	return nil
}

func (h *House) copyBlob(ctx context.Context, key, path string, sum io.Writer) error {
	r, err := h.Blobs.Get(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return fmt.Errorf("%w: %w", ErrPackGone, err)
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o400)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	_, err = io.Copy(io.MultiWriter(f, sum), r)
	return errors.Join(err, f.Close(), r.Close())
}
