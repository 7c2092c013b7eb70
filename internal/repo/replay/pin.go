package replay

import (
	"context"
	"slices"
	"time"

	"github.com/refward/refward/internal/share"
)

// An answer on disk that is being read cannot make room for others: its readers pin it.
// What one holder pins is bounded by a share. It is counted once for each holder, however
// many readers of theirs there are, and one answer may always be pinned, whatever its
// size: so any number may clone the same at once.
//
// A holder with its share gets answers that are not on disk yet as before, but they are
// passed on through memory; and waits, in a line of its own, for those that are.

// defaultWait bounds the wait of a reader until its holder has room for one more answer.
const defaultWait = 2 * time.Minute

// waiter is one reader in line.
type waiter struct{ told chan struct{} } // has a token when the first in line may look again

// pin counts a reader of an answer. c.mu is held.
func (c *Cache) pin(e *entry, holder string) {
	e.party.Join(holder)
	if e.holders[holder]++; e.holders[holder] == 1 {
		c.count(holder, e.disk)
	}
}

// unpin takes back pin. c.mu is held.
func (c *Cache) unpin(e *entry, holder string) {
	e.party.Leave(holder)
	if e.holders[holder]--; e.holders[holder] == 0 {
		delete(e.holders, holder)
		c.count(holder, -e.disk)
	}
}

// count adds to what a holder pins. c.mu is held.
func (c *Cache) count(holder string, n int64) {
	if c.pinned[holder] += n; c.pinned[holder] == 0 {
		delete(c.pinned, holder)
	}
	if n < 0 {
		c.tellFirst(holder)
	}
}

// grow adds to what an answer takes on disk. c.mu is held.
func (c *Cache) grow(e *entry, n int64) {
	c.stats.Disk += n
	e.disk += n
	for holder := range e.holders {
		c.count(holder, n)
	}
}

// mayGrow reports whether one of those who read the answer may pin so much more of it.
// c.mu is held.
func (c *Cache) mayGrow(e *entry, n int64) bool {
	for holder := range e.holders {
		if holder == "" || c.pinned[holder] == e.disk || c.pinned[holder]+n <= c.Share {
			return true
		}
	}
	return len(e.holders) == 0
}

// mayPin reports whether the holder may read an answer that it does not read yet. c.mu is
// held.
func (c *Cache) mayPin(e *entry, holder string) bool {
	return holder == "" || c.pinned[holder] == 0 || c.pinned[holder]+e.disk <= c.Share
}

// find returns the answer with this key, pinned; ok is false where there is none. Where
// the holder has its share, it waits its turn. c.mu is held, but not while it waits.
func (c *Cache) find(ctx context.Context, key Key, holder string) (e *entry, ok bool, err error) {
	e, ok = c.entries[key]
	if !ok {
		return nil, false, nil
	}
	free := e.disk == 0 || e.holders[holder] > 0 // counted already, or nothing to count
	if free || len(c.lines[holder]) == 0 && c.mayPin(e, holder) {
		c.use(e, holder)
		return e, true, nil
	}
	w := &waiter{told: make(chan struct{}, 1)}
	c.lines[holder] = append(c.lines[holder], w)
	c.stats.Waited++
	defer c.leaveLine(holder, w)
	late := time.NewTimer(c.Wait)
	defer late.Stop()
	for {
		c.mu.Unlock()
		select {
		case <-w.told:
		case <-late.C:
			err = &share.Busy{What: "megabytes of clones and fetches", Own: int(max(c.Share>>20, 1))}
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		c.mu.Lock()
		if err != nil {
			c.stats.Refused++
			return nil, false, err
		}
		if e, ok = c.entries[key]; !ok {
			return nil, false, nil
		}
		if c.mayPin(e, holder) {
			c.use(e, holder)
			return e, true, nil
		}
	}
}

// leaveLine lets the next one in line look. c.mu is held.
func (c *Cache) leaveLine(holder string, w *waiter) {
	rest := c.lines[holder]
	i := slices.Index(rest, w)
	if rest = slices.Delete(rest, i, i+1); len(rest) == 0 {
		delete(c.lines, holder)
		return
	}
	c.lines[holder] = rest
	c.tellFirst(holder)
}

// tellFirst lets the first in line look whether there is room now. c.mu is held.
func (c *Cache) tellFirst(holder string) {
	if line := c.lines[holder]; len(line) > 0 {
		select {
		case line[0].told <- struct{}{}:
		default:
		}
	}
}
