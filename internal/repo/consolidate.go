package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/refward/refward/internal/git/gitcmd"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
)

// Consolidated is a new pack that holds every object of some packs of a repository. It
// waits in a scratch folder beside the cache: publish it, commit the transaction that
// lists it in place of the others, and say so with Committed; or Discard it. Not safe
// for concurrent use.
type Consolidated struct {
	house *House
	repo  *lease
	dir   string // the scratch folder
	base  string // of the new pack's files, without ending
	old   []Pack

	pack      Pack
	published bool
}

// Consolidate makes one pack of the snapshot's packs with these IDs. No object is
// dropped, reachable or not. When they are all packs of the snapshot the new one gets a
// reachability bitmap, from which git answers a clone without walking the history; a
// pack that does not hold everything that its commits reach cannot have one.
//
// Nothing of it shows in the cache or in the stores before Publish.
func (h *House) Consolidate(ctx context.Context, snap *Snapshot, packIDs []string) (*Consolidated, error) {
	ctx, cancel := h.bind(ctx)
	defer cancel()
	l, err := h.ensure(ctx, snap)
	if err != nil {
		return nil, err
	}
	c := &Consolidated{house: h, repo: l}
	wanted := make(map[string]bool, len(packIDs))
	for _, id := range packIDs {
		wanted[id] = true
	}
	for _, p := range snap.Packs {
		if wanted[p.ID] {
			c.old = append(c.old, p)
		}
	}
	if len(c.old) == 0 || len(c.old) != len(packIDs) {
		l.end()
		return nil, fmt.Errorf("consolidate %s: the snapshot has %d of the %d packs", snap.ID, len(c.old), len(packIDs))
	}
	if err := c.make(ctx, snap); err != nil {
		c.Discard()
		return nil, fmt.Errorf("consolidate %d packs of %s: %w", len(c.old), snap.ID, err)
	}
	return c, nil
}

func (c *Consolidated) make(ctx context.Context, snap *Snapshot) error {
	c.dir = c.house.newIncoming()
	whole := len(c.old) == len(snap.Packs)
	shown := snap
	if !whole {
		shown = &Snapshot{} // some packs become one whatever refs there are
	}
	if err := c.scratch(shown); err != nil {
		return err
	}
	if err := c.rewrite(ctx, whole); err != nil {
		return err
	}
	return c.compare()
}

// scratch makes a bare repository that holds nothing but the packs concerned and shows
// a snapshot's refs. Git calls the packs local there, which it wants for keeping what
// no ref reaches.
func (c *Consolidated) scratch(snap *Snapshot) error {
	git := c.gitDir()
	if err := errors.Join(WriteBare(git, snap), os.Mkdir(filepath.Join(c.dir, "new"), 0o700)); err != nil {
		return err
	}
	for _, p := range c.old {
		for _, ext := range []string{packExt, indexExt} {
			link := filepath.Join(git, "objects", "pack", "pack-"+p.ID+ext)
			if err := os.Symlink(c.repo.pack(p.ID)+ext, link); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *Consolidated) gitDir() string { return filepath.Join(c.dir, "git") }

// windowMemory bounds what git holds in memory while it looks for deltas.
const windowMemory = "128m"

// rewrite lets git write the new pack. It reuses the deltas that are there, so most of
// the work is copying.
func (c *Consolidated) rewrite(ctx context.Context, whole bool) error {
	cmd := c.house.Git.Command("pack-objects").GitDir(c.gitDir()).
		Config("core.bigFileThreshold", streamBlobs).Config("pack.windowMemory", windowMemory).
		Flag("--delta-base-offset").Flag("--non-empty").Flag("--quiet").Option("--threads", "1").
		Class(gitcmd.Tidying).Memory(c.house.Memory)
	if whole {
		// With all refs, for the bitmap is of commits; and then what they do not reach.
		cmd = cmd.Config("pack.writeReverseIndex", "true").
			Flag("--all").Flag("--keep-unreachable").Flag("--write-bitmap-index")
	} else {
		var list strings.Builder
		for _, p := range c.old {
			list.WriteString("pack-" + p.ID + packExt + "\n")
		}
		cmd = cmd.Flag("--stdin-packs").Stdin(strings.NewReader(list.String()))
	}
	out, err := cmd.Operand(filepath.Join(c.dir, "new", "pack")).Output(ctx, 4096)
	if err != nil {
		return err
	}
	name := strings.TrimSpace(string(out))
	if _, err := oid.Parse(name); err != nil {
		return fmt.Errorf("git pack-objects: unexpected answer %.100q", out)
	}
	c.base = filepath.Join(c.dir, "new", "pack-"+name)
	c.pack.Bitmap = true
	for _, ext := range []string{bitmapExt, reverseExt} {
		if _, err := os.Stat(c.base + ext); errors.Is(err, fs.ErrNotExist) {
			c.pack.Bitmap = false // no ref, so no commit to have one
		} else if err != nil {
			return err
		}
	}
	return nil
}

// compare checks that every object of the old packs is in the new one. That git keeps
// them is what was asked of it; that it did is what the repository hangs on.
func (c *Consolidated) compare() error {
	ids, err := indexIDs(c.base + indexExt)
	if err != nil {
		return err
	}
	c.pack.Objects = int64(len(ids))
	for _, p := range c.old {
		old, err := indexIDs(c.repo.pack(p.ID) + indexExt)
		if err != nil {
			return err
		}
		if id, ok := firstMissing(old, ids); ok {
			return fmt.Errorf("object %s of pack %s is not in the new pack", id, p.ID)
		}
	}
	return nil
}

func indexIDs(path string) (_ []oid.ID, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	x, err := pack.NewIndex(f)
	if err != nil {
		return nil, err
	}
	return x.IDs()
}

// firstMissing returns the first of some that is not among all; both are sorted.
func firstMissing(some, all []oid.ID) (oid.ID, bool) {
	i := 0
	for _, id := range some {
		for i < len(all) && bytes.Compare(all[i][:], id[:]) < 0 {
			i++
		}
		if i == len(all) || all[i] != id {
			return id, true
		}
	}
	return oid.Zero, false
}

// Publish makes the new pack durable in the blob store, whatever its size: the small
// packs of pushes leave the metadata store this way. A Publish that fails leaves no
// blob.
func (c *Consolidated) Publish(ctx context.Context) (Pack, error) {
	h := c.house
	ctx, cancel := h.bind(ctx)
	defer cancel()
	p := c.pack
	p.ID, p.Created, p.Consolidated = h.ids.next(), h.Now().UTC().Truncate(time.Millisecond), true
	p.Key = string(c.repo.id) + "/" + p.ID
	var err error
	if p.SHA256, p.Size, err = measureFile(c.base + packExt); err != nil {
		return Pack{}, fmt.Errorf("read the consolidated pack: %w", err)
	}
	if err := h.upload(ctx, p, c.base); err != nil {
		return Pack{}, fmt.Errorf("store the consolidated pack: %w", err)
	}
	c.pack, c.published = p, true
	return p, nil
}

// Committed takes the new pack into the cache after its transaction has committed, and
// the old ones out of it. When it fails the cache goes on with the old ones.
func (c *Consolidated) Committed(ctx context.Context) {
	h := c.house
	c.published = false
	if err := c.repo.adopt(c.pack, c.base); err != nil {
		h.Log.WarnContext(ctx, "move a consolidated pack into the cache", "repository", c.repo.id, "pack", c.pack.ID, "error", err)
	} else {
		h.retire(c.repo.cached, c.old)
	}
	c.Discard()
}

// Discard removes the scratch folder; idempotent. The blobs of a published pack stay:
// see [Incoming.Discard].
func (c *Consolidated) Discard() {
	if c.dir != "" {
		if err := os.RemoveAll(c.dir); err != nil {
			c.house.Log.WarnContext(c.house.life, "remove a scratch folder", "folder", c.dir, "error", err)
		}
		c.dir = ""
	}
	c.repo.end()
}

// Abandon is Discard after a transaction that is known to have failed: it removes the
// blobs of the published pack as well.
func (c *Consolidated) Abandon() {
	published := c.published
	c.published = false
	c.Discard()
	if !published {
		return
	}
	if err := c.house.deleteBlobs(c.pack.Key); err != nil {
		c.house.Log.WarnContext(c.house.life, "remove the blobs of an abandoned pack", "key", c.pack.Key, "error", err)
	}
}
