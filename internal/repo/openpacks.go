package repo

import (
	"container/list"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/refward/refward/internal/git/pack"
)

// How many packs are kept open, and up to which size an index is kept in memory instead
// (some 2,000 objects).
const (
	maxOpenPacks = 256
	indexInRAM   = 64 << 10
)

// openPacks are packs of the cache that this process reads by itself. They stay open for
// the next one who reads them. Safe for concurrent use.
type openPacks struct {
	mu     sync.Mutex // guards what follows
	byPath map[string]*list.Element
	order  list.List // of *openPack, the one longest unused first

	forgotten int // calls of forget
}

// openPack is a pack with its index.
type openPack struct {
	*pack.File
	path  string
	order *pack.Order // of one whose index is in memory
	files []*os.File

	users int  // guarded by the mutex of openPacks, as what follows
	gone  bool // no longer in byPath: closed by its last user
}

// take returns the pack whose files have this path, without ending, until it is given
// back. The error wraps [os.ErrNotExist] where it has left the cache.
func (o *openPacks) take(path string) (*openPack, error) {
	p, forgotten := o.present(path)
	if p != nil {
		return p, nil
	}
	opened, err := openCached(path) // nobody waits for a slow disk who needs no other pack
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if e, ok := o.byPath[path]; ok { // another was quicker
		opened.gone = true
		opened.closeUnused()
		return o.use(e), nil
	}
	if o.byPath == nil {
		o.byPath = map[string]*list.Element{}
	}
	e := o.order.PushBack(opened)
	o.byPath[path] = e
	o.use(e)
	switch {
	case o.forgotten != forgotten: // it may have been this one
		o.drop(e)
	case o.order.Len() > maxOpenPacks:
		o.drop(o.order.Front())
	}
	return opened, nil
}

// present returns a pack that is open, or nil and how often packs were forgotten by then.
func (o *openPacks) present(path string) (p *openPack, forgotten int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if e, ok := o.byPath[path]; ok {
		return o.use(e), o.forgotten
	}
	return nil, o.forgotten
}

// use is called with the mutex held.
func (o *openPacks) use(e *list.Element) *openPack {
	o.order.MoveToBack(e)
	p := e.Value.(*openPack)
	p.users++
	return p
}

// give gives a pack back.
func (o *openPacks) give(p *openPack) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p.users--
	p.closeUnused()
}

// forget closes the packs of a folder of objects whose path matches, so that removed
// files hold no disk.
func (o *openPacks) forget(match func(path string) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forgotten++
	for path, e := range o.byPath {
		if match(path) {
			o.drop(e)
		}
	}
}

// drop is called with the mutex held.
func (o *openPacks) drop(e *list.Element) {
	p := e.Value.(*openPack)
	o.order.Remove(e)
	delete(o.byPath, p.path)
	p.gone = true
	p.closeUnused()
}

func (p *openPack) closeUnused() {
	if !p.gone || p.users > 0 {
		return
	}
	for _, f := range p.files {
		_ = f.Close() // opened for reading
	}
	p.files = nil
}

// openCached opens the files of a pack.
func openCached(path string) (*openPack, error) {
	p := &openPack{path: path}
	if err := p.open(); err != nil {
		p.gone = true
		p.closeUnused()
		return nil, fmt.Errorf("open pack %s: %w", filepath.Base(path), err)
	}
	return p, nil
}

// open opens the files. Those that it opened before it failed are closed by the caller.
func (p *openPack) open() error {
	index, err := os.Open(p.path + indexExt)
	if err != nil {
		return err
	}
	p.files = append(p.files, index)
	data, err := os.Open(p.path + packExt)
	if err != nil {
		return err
	}
	p.files = append(p.files, data)
	x, small, err := p.openIndex(index)
	if err != nil {
		return err
	}
	info, err := data.Stat()
	if err != nil {
		return err
	}
	p.File = pack.NewFile(data, info.Size(), x)
	if small {
		p.order, err = p.Order()
	}
	return err
}

// openIndex reads a small index into memory, and closes it.
func (p *openPack) openIndex(f *os.File) (x *pack.Index, small bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	if info.Size() > indexInRAM {
		x, err = pack.NewIndex(f)
		return x, false, err
	}
	b := make([]byte, info.Size())
	if _, err := f.ReadAt(b, 0); err != nil {
		return nil, false, err
	}
	p.files = p.files[1:]
	if err := f.Close(); err != nil {
		return nil, false, err
	}
	x, err = pack.NewIndexBytes(b)
	return x, true, err
}

// stored reads what stands at an offset, with at most limit bytes.
func (p *openPack) stored(offset, limit int64) (pack.Stored, error) {
	if p.order != nil {
		return p.order.Stored(offset, limit)
	}
	return p.Stored(offset, limit)
}
