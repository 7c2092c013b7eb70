package repo

import (
	"errors"
	"os"
	"slices"

	"github.com/refward/refward/internal/git/object"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/pack"
)

// shelf finds and reads the objects of a cached repository in this process, from its
// packs. Whoever has it holds a lease of the repository. Not safe for concurrent use.
type shelf struct {
	open  *openPacks
	packs []*openPack // the largest first: most objects are there
}

// maxShelved is how often the packs are listed anew because one of them has just left.
const maxShelved = 3

// shelf opens the packs that are in the cache. The caller closes it before the lease ends.
func (l *lease) shelf() (*shelf, error) {
	var err error
	for range maxShelved {
		s := &shelf{open: &l.house.open}
		if err = s.take(l.present()); err == nil {
			return s, nil
		}
		s.close()
		if !errors.Is(err, os.ErrNotExist) {
			break
		}
	}
	return nil, err
}

// present lists the packs that are in place, by their paths without ending.
func (c *cached) present() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	paths := make([]string, 0, len(c.packs))
	for id, f := range c.packs {
		select {
		case <-f.done:
			if f.err == nil {
				paths = append(paths, c.pack(id))
			}
		default:
		}
	}
	return paths
}

func (s *shelf) take(paths []string) error {
	for _, path := range paths {
		p, err := s.open.take(path)
		if err != nil {
			return err
		}
		s.packs = append(s.packs, p)
	}
	slices.SortFunc(s.packs, func(a, b *openPack) int { return int(b.Index.Len() - a.Index.Len()) })
	return nil
}

// close gives the packs back. Idempotent.
func (s *shelf) close() {
	for _, p := range s.packs {
		s.open.give(p)
	}
	s.packs = nil
}

// spot is where an object stands.
type spot struct {
	pack   *openPack
	offset int64
}

// find looks an object up.
func (s *shelf) find(id oid.ID) (at spot, ok bool, err error) {
	for _, p := range s.packs {
		offset, ok, err := p.Index.Find(id)
		if err != nil || ok {
			return spot{p, offset}, ok, err
		}
	}
	return spot{}, false, nil
}

// lookUpSteps is what looking up an object counts for, beside each read of a pack.
const lookUpSteps = 10

// typeOf returns the type of an object, out of a number of steps, each about as much as one
// read of a file ([pack.ErrBeyond]); ok is false where there is none.
func (s *shelf) typeOf(id oid.ID, steps *int64) (t object.Type, ok bool, err error) {
	if *steps -= lookUpSteps; *steps < 0 {
		return 0, false, pack.ErrBeyond
	}
	at, ok, err := s.find(id)
	if err != nil || !ok {
		return 0, false, err
	}
	t, err = at.pack.TypeWithin(at.offset, steps)
	return t, err == nil, err
}

// read returns type and content of an object, out of a budget of bytes, see
// [pack.NewResolver]; ok is false where there is none.
func (s *shelf) read(id oid.ID, bytes *int64) (t object.Type, content []byte, ok bool, err error) {
	at, ok, err := s.find(id)
	if err != nil || !ok {
		return 0, nil, false, err
	}
	t, content, err = pack.NewResolver(at.pack.File, bytes).Resolve(at.offset)
	return t, content, err == nil, err
}

// browser reads objects out of one budget of bytes, and remembers what it made of deltas
// until that is used up. See [pack.NewResolver].
type browser struct {
	budget    int64
	resolvers map[*pack.File]*pack.Resolver
}

func newBrowser(budget int64) *browser {
	return &browser{budget: budget, resolvers: map[*pack.File]*pack.Resolver{}}
}

// resolve reads the object at an offset of a pack. The content must not be changed.
func (b *browser) resolve(f *pack.File, offset int64) (object.Type, []byte, error) {
	r, ok := b.resolvers[f]
	if !ok {
		r = pack.NewResolver(f, &b.budget)
		b.resolvers[f] = r
	}
	return r.Resolve(offset)
}
