// Package dir keeps blobs in a folder: the blob under key a/b is the file a/b. A blob
// appears under its name complete and on disk, or not at all: it is written to a
// temporary file, synced, linked to its name without replacing anything, and the
// folders on the way are synced. The folder must be on a file system with hard links,
// and belong to one process.
package dir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/refward/refward/internal/blob"
)

// tempDir holds files that are being written. No key can name it: ~ is not in keys.
const tempDir = "~incoming"

// Store is a [blob.Store] in a folder. Safe for concurrent use.
type Store struct {
	root *os.Root
	next atomic.Uint64 // number of the next temporary file

	mu      sync.Mutex          // guards durable
	durable map[string]struct{} // folders whose own entry is known to be on disk
}

var _ blob.Store = (*Store)(nil)

// Open opens the store in a folder, makes the folder where it is missing, and removes
// what a crash left of unfinished blobs.
func Open(folder string) (*Store, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	s := &Store{root: root, durable: map[string]struct{}{".": {}}}
	err = errors.Join(root.RemoveAll(tempDir), root.Mkdir(tempDir, 0o700), syncDir(root, "."))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("clean blob folder: %w", err), root.Close())
	}
	return s, nil
}

// Close lets the folder go. Blobs that are being read can still be read.
func (s *Store) Close() error { return s.root.Close() }

// Put stores a blob; see [blob.Store].
func (s *Store) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	if err := s.put(ctx, key, r, size); err != nil {
		return fmt.Errorf("put blob %q: %w", key, err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, key string, r io.Reader, size int64) (err error) {
	if err := blob.CheckKey(key); err != nil {
		return err
	}
	if _, err := s.root.Lstat(key); err == nil {
		return blob.ErrExists // the usual case of it; Link below decides races
	}
	temp := path.Join(tempDir, strconv.FormatUint(s.next.Add(1), 10))
	defer func() { _ = s.root.Remove(temp) }()
	if err := s.writeTemp(ctx, temp, r, size); err != nil {
		return err
	}
	return s.publish(ctx, key, func() error { return s.root.Link(temp, key) })
}

// publish gives a file that is on disk the name of a blob, by a link that replaces
// nothing. When it returns nil the name is on disk too; on an error it is not there.
func (s *Store) publish(ctx context.Context, key string, link func() error) error {
	parent := path.Dir(key)
	if err := s.makeDir(parent); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := link(); errors.Is(err, fs.ErrExist) {
		return blob.ErrExists
	} else if err != nil {
		return err
	}
	if err := syncDir(s.root, parent); err != nil {
		return errors.Join(err, s.root.Remove(key))
	}
	return nil
}

// writeTemp writes exactly size bytes to a new file and syncs it.
func (s *Store) writeTemp(ctx context.Context, name string, r io.Reader, size int64) error {
	// Read-only from the start: nobody may change a blob in place.
	f, err := s.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o400)
	if err != nil {
		return err
	}
	n, err := io.Copy(f, &cancelReader{ctx: ctx, r: io.LimitReader(r, size+1)})
	switch {
	case err != nil:
	case n < size:
		err = fmt.Errorf("%d bytes of %d: %w", n, size, io.ErrUnexpectedEOF)
	case n > size:
		err = fmt.Errorf("more than the %d bytes announced", size)
	default:
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// makeDir makes a folder and those above it, and returns when their entries are on
// disk. That another writer made one does not mean that it has synced it.
func (s *Store) makeDir(name string) error {
	s.mu.Lock()
	_, ok := s.durable[name]
	s.mu.Unlock()
	if ok {
		return nil
	}
	parent := path.Dir(name)
	if err := s.makeDir(parent); err != nil {
		return err
	}
	if err := s.root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := syncDir(s.root, parent); err != nil {
		return err
	}
	s.mu.Lock()
	s.durable[name] = struct{}{}
	s.mu.Unlock()
	return nil
}

func syncDir(root *os.Root, name string) error {
	d, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Get opens a blob; see [blob.Store].
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	f, _, err := s.open(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("get blob %q: %w", key, err)
	}
	return f, nil
}

// Stat describes a blob; see [blob.Store].
func (s *Store) Stat(ctx context.Context, key string) (blob.Info, error) {
	f, info, err := s.open(ctx, key)
	if err != nil {
		return blob.Info{}, fmt.Errorf("stat blob %q: %w", key, err)
	}
	return info, f.Close()
}

func (s *Store) open(ctx context.Context, key string) (*os.File, blob.Info, error) {
	if err := errors.Join(ctx.Err(), blob.CheckKey(key)); err != nil {
		return nil, blob.Info{}, err
	}
	f, err := s.root.Open(key)
	if isMissing(err) {
		return nil, blob.Info{}, blob.ErrNotFound
	}
	if err != nil {
		return nil, blob.Info{}, err
	}
	fi, err := f.Stat()
	if err == nil && !fi.Mode().IsRegular() {
		err = blob.ErrNotFound // a folder on the way to other keys
	}
	if err != nil {
		return nil, blob.Info{}, errors.Join(err, f.Close())
	}
	return f, blob.Info{Key: key, Size: fi.Size(), Created: fi.ModTime()}, nil
}

// isMissing also knows the key that goes through a blob as if it were a folder.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Delete removes a blob; see [blob.Store]. Its folder stays: it is empty at worst, and
// removing it would race with a blob about to be linked there.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := errors.Join(ctx.Err(), blob.CheckKey(key)); err != nil {
		return fmt.Errorf("delete blob %q: %w", key, err)
	}
	fi, err := s.root.Lstat(key)
	if isMissing(err) || err == nil && fi.IsDir() {
		return nil
	}
	if err == nil {
		err = s.root.Remove(key)
	}
	if err == nil {
		err = syncDir(s.root, path.Dir(key))
	}
	if err != nil && !isMissing(err) {
		return fmt.Errorf("delete blob %q: %w", key, err)
	}
	return nil
}

// Link makes target, a path outside the store and on the same file system, a second
// name of the blob's bytes. Nobody may write to it.
func (s *Store) Link(key, target string) error {
	if err := blob.CheckKey(key); err != nil {
		return fmt.Errorf("link blob %q: %w", key, err)
	}
	err := os.Link(path.Join(s.root.Name(), key), target)
	if isMissing(err) {
		if _, statErr := s.root.Lstat(key); isMissing(statErr) {
			err = blob.ErrNotFound
		}
	}
	if err != nil {
		return fmt.Errorf("link blob %q: %w", key, err)
	}
	return nil
}

// List lists blobs; see [blob.Store].
func (s *Store) List(ctx context.Context, prefix string, yield func(blob.Info) bool) error {
	if err := blob.CheckPrefix(prefix); err != nil {
		return fmt.Errorf("list blobs %q: %w", prefix, err)
	}
	start := "."
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		start = prefix[:i]
	}
	w := walk{ctx: ctx, root: s.root, prefix: prefix, yield: yield}
	if err := w.dir(start); err != nil && !errors.Is(err, errStop) {
		return fmt.Errorf("list blobs %q: %w", prefix, err)
	}
	return nil
}

// errStop ends a walk whose consumer has had enough.
var errStop = errors.New("stop")

type walk struct {
	ctx    context.Context
	root   *os.Root
	prefix string
	yield  func(blob.Info) bool
}

// dir walks one folder. In byte order of the keys a folder's blobs come where its name
// with a slash behind it sorts: after a-b and a.b, before a0.
func (w *walk) dir(name string) error {
	entries, err := fs.ReadDir(w.root.FS(), name)
	if isMissing(err) {
		return nil // gone, or a blob
	}
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(sortKey(a), sortKey(b)) })
	for _, e := range entries {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		key := path.Join(name, e.Name())
		switch {
		case key == tempDir:
		case e.IsDir():
			if strings.HasPrefix(key+"/", w.prefix) || strings.HasPrefix(w.prefix, key+"/") {
				err = w.dir(key)
			}
		case strings.HasPrefix(key, w.prefix):
			err = w.file(key, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) file(key string, e fs.DirEntry) error {
	fi, err := e.Info()
	if isMissing(err) {
		return nil // deleted since the folder was read
	}
	if err != nil {
		return err
	}
	if !w.yield(blob.Info{Key: key, Size: fi.Size(), Created: fi.ModTime()}) {
		return errStop
	}
	return nil
}

func sortKey(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}

// cancelReader ends a copy when its context does.
type cancelReader struct {
	ctx context.Context
	r   io.Reader
}

// Read reads unless the context has ended.
func (c *cancelReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
