package repo

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
)

// A lease says that somebody works in a cached repository: as long as it lasts, no pack
// is removed that was there when it began. Git itself mostly notices that a pack went
// away and looks for the object in another one, but not where it has already decided
// from which pack it will send it.
type lease struct {
	*cached
	house *House
	era   int64
	once  sync.Once
}

// uses is the part of a cached repository that knows who works in it. Packs that were
// replaced leave in the order of eras: those that work in an era may know the packs that
// left at its end, those of later eras cannot.
type uses struct {
	era     int64
	users   map[int64]int    // leases by the era in which they began
	leaving []leaving        // packs whose files are there still, oldest first
	old     map[string]int64 // packs that were replaced, by the era that they left in
	gone    bool             // the whole folder was given up
}

// leaving is packs that left at the end of an era.
type leaving struct {
	era   int64
	packs []string
}

// rememberedEras is how many replacements of packs a cache remembers. Who still holds a
// snapshot from before that has its packs fetched again, which costs only time.
const rememberedEras = 8

// use begins a lease in the present era.
func (h *House) use(c *cached) *lease {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users == nil {
		c.users = map[int64]int{}
	}
	c.users[c.era]++
	return &lease{cached: c, house: h, era: c.era}
}

// end gives the lease back, and removes what only it still held. Idempotent.
func (l *lease) end() {
	l.once.Do(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.users[l.era]--; l.users[l.era] == 0 {
			delete(l.users, l.era)
		}
		l.tidy(l.house)
	})
}

// replaced reports whether the objects of a pack are all in another one that was
// installed. c.mu is held.
func (c *cached) replaced(packID string) bool {
	_, ok := c.old[packID]
	return ok
}

// retire takes packs out of the cache that another, installed already, has replaced.
// Their indexes go at once, and with that no process finds the packs any more that has
// not done so before. The packs themselves go when everybody has ended who began before
// that: a process that has read an index may open its pack at any time.
func (h *House) retire(c *cached, packs []Pack) {
	c.mu.Lock()
	if c.old == nil {
		c.old = map[string]int64{}
	}
	var left []string
	var errs []error
	for _, p := range packs {
		delete(c.packs, p.ID)
		c.old[p.ID] = c.era
		left = append(left, p.ID)
		errs = append(errs, removeFile(c.pack(p.ID)+indexExt))
	}
	for id, era := range c.old {
		if era <= c.era-rememberedEras {
			delete(c.old, id)
		}
	}
	c.mu.Unlock()
	// After this no process that stays knows them, but those that a lease has taken.
	h.forgetPacks(c, left...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaving = append(c.leaving, leaving{era: c.era, packs: left})
	c.era++
	c.warn(h, errors.Join(errs...))
	c.tidy(h)
}

// forgetPacks gives up what is open of some packs, or of all: the processes that stay,
// and the files that this process reads itself.
func (h *House) forgetPacks(c *cached, packIDs ...string) {
	h.readers.Forget(c.dir)
	h.open.forget(func(path string) bool {
		id, in := strings.CutPrefix(path, c.pack(""))
		return in && (len(packIDs) == 0 || slices.Contains(packIDs, id))
	})
}

// tidy removes the files of packs that left and that nobody knows any more. c.mu is
// held.
func (c *cached) tidy(h *House) {
	for len(c.leaving) > 0 && !c.gone {
		for era := range c.users {
			if era <= c.leaving[0].era {
				return
			}
		}
		for _, id := range c.leaving[0].packs {
			if _, again := c.packs[id]; !again { // fetched for somebody who came late
				c.warn(h, c.removePack(id))
			}
		}
		c.leaving = c.leaving[1:]
	}
}

func (c *cached) warn(h *House, err error) {
	if err != nil {
		h.Log.WarnContext(h.life, "remove replaced packs from the cache", "repository", c.id, "error", err)
	}
}

// removePack removes the files of a pack, its index first, so that git does not find it.
func (c *cached) removePack(packID string) error {
	var errs []error
	for _, ext := range allExtensions() {
		errs = append(errs, removeFile(c.pack(packID)+ext))
	}
	return errors.Join(errs...)
}

// removeFile removes a file that may be gone already.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// abandon says that the folder is no longer this cache's: another may be made there.
func (c *cached) abandon() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
}
