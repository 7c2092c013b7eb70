package repo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/refward/refward/internal/blob"
	"github.com/refward/refward/internal/failpoint"
	"github.com/refward/refward/internal/git/catfile"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
)

// Incoming is a checked pack in quarantine. Discard it when it was not published.
// [Incoming.Objects] and what it returned may be used by one goroutine while others do
// the same; Publish, Committed, Abandon and Discard are called one after the other.
type Incoming struct {
	house *House
	repo  *lease
	dir   string   // the quarantine; empty where the push brought no objects
	base  string   // of the pack's files, without ending
	data  []byte   // of the pack, where it is in memory as well
	ends  bool     // what the pack is read from ends behind it: see [Ended]
	first bool     // and the repository had no packs
	sum   measured // of the pack, where it was written down as it came

	mu        sync.Mutex // guards what follows
	file      *pack.File // nil: no objects, or no longer in quarantine
	files     []*os.File
	published *Pack
}

// objects is the quarantine's folder of objects.
func (in *Incoming) objects() string { return filepath.Join(in.dir, "objects") }

// open reports whether there are objects in quarantine.
func (in *Incoming) open() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.file != nil
}

// openPack opens the files of the received pack. Nobody else knows in yet.
func (in *Incoming) openPack(base string) error {
	in.base = base
	index, err := os.Open(base + indexExt)
	if err != nil {
		return fmt.Errorf("open the received pack: %w", err)
	}
	in.files = append(in.files, index)
	data, err := os.Open(base + packExt)
	if err != nil {
		return fmt.Errorf("open the received pack: %w", err)
	}
	in.files = append(in.files, data)
	info, err := data.Stat()
	if err != nil {
		return fmt.Errorf("open the received pack: %w", err)
	}
	x, err := pack.NewIndex(index)
	if err != nil {
		return fmt.Errorf("open the received pack: %w", err)
	}
	in.file = pack.NewFile(data, info.Size(), x)
	return nil
}

// find looks an object up in the quarantined pack.
func (in *Incoming) find(id oid.ID) (file *pack.File, offset int64, ok bool, err error) {
	in.mu.Lock()
	file = in.file
	in.mu.Unlock()
	if file == nil {
		return nil, 0, false, nil
	}
	offset, ok, err = file.Index.Find(id)
	return file, offset, ok, err
}

// source is what a process that sees the quarantine reads.
func (in *Incoming) source() catfile.Source {
	return catfile.Source{GitDir: in.repo.dir, Objects: in.objects(), Alternates: in.repo.objects()}
}

// Objects reads the snapshot's objects and the quarantined ones.
func (in *Incoming) Objects(context.Context) (*Objects, error) {
	h := in.house
	if h.life.Err() != nil {
		return nil, ErrClosed
	}
	return h.objects(h.use(in.repo.cached), in), nil
}

// Publish makes the pack durable: a blob, or Inline bytes for the transaction. ok is
// false where there was nothing to publish. The objects become visible to readers only
// when the pack's row is committed. A Publish that fails leaves no blob.
func (in *Incoming) Publish(ctx context.Context) (p Pack, ok bool, err error) {
	if !in.open() {
		return Pack{}, false, nil
	}
	h := in.house
	ctx, cancel := h.bind(ctx)
	defer cancel()
	p = Pack{ID: h.ids.next(), Objects: in.file.Index.Len(), Created: h.Now().UTC().Truncate(time.Millisecond)}
	if p.SHA256, p.Size, err = in.measure(); err != nil {
		return Pack{}, false, fmt.Errorf("read the received pack: %w", err)
	}
	switch {
	case p.Size > h.InlineLimit:
		p.Key = string(in.repo.id) + "/" + p.ID
		err = h.upload(ctx, p, in.base)
	case in.data != nil:
		p.Inline = in.data
	default:
		p.Inline, err = os.ReadFile(in.base + packExt)
	}
	if err != nil {
		return Pack{}, false, fmt.Errorf("store the received pack: %w", err)
	}
	in.mu.Lock()
	in.published = &p
	in.mu.Unlock()
	failpoint.Reach(failpoint.PackStored)
	return p, true, nil
}

// measure returns the hash and the size of the pack.
func (in *Incoming) measure() (sha string, size int64, err error) {
	switch {
	case in.data != nil:
		sum := sha256.Sum256(in.data)
		return hex.EncodeToString(sum[:]), int64(len(in.data)), nil
	case in.sum.sha != "":
		return in.sum.sha, in.sum.size, nil
	}
	return measureFile(in.base + packExt)
}

// measureFile returns the hash and the size of a file.
func measureFile(path string) (sha string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	sum := sha256.New()
	size, err = io.Copy(sum, f)
	return hex.EncodeToString(sum.Sum(nil)), size, errors.Join(err, f.Close())
}

// MaxPublish is how long it may take from the beginning of a pack's upload to the commit
// of the transaction that lists it. Blobs that no row names are deleted a good while
// later (see [House.Orphans]), so a transaction that came after that would list a pack
// that is gone: whoever commits checks [Pack.Late].
const MaxPublish = time.Hour

// Late reports whether it is too late at that time to commit the row of a pack that was
// uploaded for it.
func (p Pack) Late(at time.Time) bool {
	return !p.IsInline() && at.Sub(p.Created) > MaxPublish
}

// upload puts the files of a pack. A blob is complete or absent; of several, some may be
// there when one fails, and are removed.
func (h *House) upload(ctx context.Context, p Pack, base string) error {
	ctx, cancel := context.WithTimeout(ctx, MaxPublish)
	defer cancel()
	for _, ext := range p.extensions() {
		if err := h.uploadFile(ctx, p.Key+ext, base+ext); err != nil {
			return errors.Join(err, h.deleteBlobs(p.Key))
		}
	}
	return nil
}

func (h *House) uploadFile(ctx context.Context, key, path string) error {
	if h.Adopt != nil {
		if err := h.Adopt(ctx, key, path); err == nil || errors.Is(err, blob.ErrExists) || ctx.Err() != nil {
			return err
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		err = h.Blobs.Put(ctx, key, f, info.Size())
	}
	return errors.Join(err, f.Close())
}

// cleanupTime bounds the removal of a pack's blobs, which does not end with the request
// that made them necessary.
const cleanupTime = 30 * time.Second

func (h *House) deleteBlobs(key string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.life), cleanupTime)
	defer cancel()
	return h.DeletePack(ctx, key)
}

// Committed moves the pack into the cache after the transaction committed; a failure
// only costs the next reader a fetch. The objects can still be read through in, and
// nothing is left to discard.
func (in *Incoming) Committed(ctx context.Context) {
	in.mu.Lock()
	p := in.published
	in.published = nil
	in.mu.Unlock()
	if p != nil {
		if err := in.repo.adopt(*p, in.base); err != nil {
			in.house.Log.WarnContext(ctx, "move a pack into the cache", "repository", in.repo.id, "pack", p.ID, "error", err)
		}
		failpoint.Reach(failpoint.PackCached)
	}
	in.Discard()
}

// adopt installs the files of a pack that was just received, unless the pack was
// fetched already by one who saw its row first.
func (c *cached) adopt(p Pack, base string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.packs[p.ID]; ok {
		return nil
	}
	if err := c.install(p, base); err != nil {
		return err
	}
	c.packs[p.ID] = finished()
	return nil
}

// Discard removes the quarantine. Idempotent, and harmless after Committed. A pack that
// was published stays stored: whether its transaction failed is not always known, and a
// blob that nothing lists is swept later. Where it is known, call [Incoming.Abandon].
func (in *Incoming) Discard() {
	in.mu.Lock()
	files := in.files
	in.file, in.files = nil, nil
	in.mu.Unlock()
	for _, f := range files {
		_ = f.Close() // opened for reading
	}
	in.repo.end()
	if in.dir == "" {
		return
	}
	if err := os.RemoveAll(in.dir); err != nil {
		in.house.Log.WarnContext(in.house.life, "remove a quarantine", "folder", in.dir, "error", err)
	}
}

// Abandon is Discard after a transaction that is known to have failed: it removes the
// blobs of the published pack as well.
func (in *Incoming) Abandon() {
	in.mu.Lock()
	p := in.published
	in.published = nil
	in.mu.Unlock()
	in.Discard()
	if p == nil || p.IsInline() {
		return
	}
	if err := in.house.deleteBlobs(p.Key); err != nil {
		in.house.Log.WarnContext(in.house.life, "remove the blobs of an abandoned pack", "key", p.Key, "error", err)
	}
}
