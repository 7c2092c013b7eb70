package repo

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// viewsDir is the folder of a cached repository that holds its views.
const viewsDir = "views"

// maxIdleViews is how many views of one repository are kept without a user.
const maxIdleViews = 4

// unbornHead is what HEAD names where there is no default branch: a ref that no push
// can make, because it is neither a branch nor a tag.
const unbornHead = "refs/unborn/default"

// viewConfig is what a git that serves a client needs to know: any object may be asked
// for by its ID (the ref that named it may have moved since it was advertised), and
// filters for partial clones are allowed except the one that is a denial of service.
// ref-in-want stays off: git's client and server do not agree where its answer stands
// in that of a shallow fetch (2.39).
const viewConfig = cacheConfig + `[uploadpack]
	allowAnySHA1InWant = true
	allowFilter = true
[uploadpackfilter]
	allow = true
[uploadpackfilter "sparse:oid"]
	allow = false
[transfer]
	advertiseSID = false
`

// view is a git folder that shows the repository at one generation: HEAD, packed-refs
// and the cache's objects.
type view struct {
	dir   string
	users int
}

// acquire returns the view of a snapshot, made when the first one asks. The caller
// releases it.
func (c *cached) acquire(snap *Snapshot) (*view, error) {
	c.viewMu.Lock()
	defer c.viewMu.Unlock()
	v, ok := c.views[snap.Gen]
	if !ok {
		v = &view{dir: filepath.Join(c.dir, viewsDir, strconv.FormatInt(snap.Gen, 10))}
		if err := v.write(snap); err != nil {
			return nil, errors.Join(fmt.Errorf("write refs of %s: %w", snap.ID, err), os.RemoveAll(v.dir))
		}
		c.views[snap.Gen] = v
	}
	v.users++
	return v, nil
}

// release gives a view back, and removes the oldest that nobody uses when they are too
// many.
func (c *cached) release(v *view) error {
	c.viewMu.Lock()
	defer c.viewMu.Unlock()
	v.users--
	idle, oldest := 0, int64(-1)
	for gen, v := range c.views {
		if v.users > 0 {
			continue
		}
		idle++
		if oldest < 0 || gen < oldest {
			oldest = gen
		}
	}
	if idle <= maxIdleViews {
		return nil
	}
	gone := c.views[oldest]
	delete(c.views, oldest)
	return os.RemoveAll(gone.dir)
}

func (v *view) write(snap *Snapshot) error {
	if err := os.RemoveAll(v.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(v.dir, "refs"), 0o700); err != nil {
		return err
	}
	head := snap.Head
	if head == "" {
		head = unbornHead
	}
	return errors.Join(
		os.Symlink(filepath.Join("..", "..", "objects"), filepath.Join(v.dir, "objects")),
		os.WriteFile(filepath.Join(v.dir, "config"), []byte(viewConfig), 0o600),
		os.WriteFile(filepath.Join(v.dir, "HEAD"), []byte("ref: "+string(head)+"\n"), 0o600),
		writePackedRefs(filepath.Join(v.dir, "packed-refs"), snap.Refs))
}

// WriteBare makes a bare repository without objects that shows the refs of a snapshot,
// for work that must not touch the cache.
func WriteBare(dir string, snap *Snapshot) error {
	for _, sub := range []string{"objects/pack", "objects/info", "refs"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return err
		}
	}
	head := snap.Head
	if head == "" {
		head = "refs/heads/master" // fsck wants a branch; whether there is one matters to nobody
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "config"), []byte(cacheConfig), 0o600),
		os.WriteFile(filepath.Join(dir, "HEAD"), []byte("ref: "+string(head)+"\n"), 0o600),
		writePackedRefs(filepath.Join(dir, "packed-refs"), snap.Refs))
}

// writePackedRefs writes the format of git-pack-refs(1). The head line promises that
// the refs are sorted and that every tag is peeled.
func writePackedRefs(path string, refs Refs) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 64<<10)
	_, _ = w.WriteString("# pack-refs with: peeled fully-peeled sorted \n") // Flush tells of errors
	var line []byte
	for r := range refs.All() {
		line, _ = r.OID.AppendText(line[:0])
		line = append(append(append(line, ' '), r.Name...), '\n')
		if !r.Peeled.IsZero() {
			line, _ = r.Peeled.AppendText(append(line, '^'))
			line = append(line, '\n')
		}
		_, _ = w.Write(line)
	}
	return errors.Join(w.Flush(), f.Close())
}
