package sqlstore

import (
	"sync"
	"sync/atomic"
)

// changes counts the commits of a database that only this process writes, so that a row
// which was read before can be given again without asking the engine: no commit has been
// made since, and none is being made. The count is odd while one is.
//
// Commits of the decision log do not count: they only add rows to its own table, which
// nobody remembers.
type changes struct{ n atomic.Uint64 }

// during runs the commit of a transaction.
func (c *changes) during(commit func() error) error {
	if c == nil {
		return commit()
	}
	c.n.Add(1)
	defer c.n.Add(1)
	return commit()
}

// now returns the count, and false while it is not known whether a change is visible.
func (c *changes) now() (uint64, bool) {
	n := c.n.Load()
	return n, n%2 == 0
}

// maxRemembered bounds the rows that one remembered holds.
const maxRemembered = 10_000

// remembered keeps the rows that one query answered, by its argument. What it gives is
// what the engine would have answered at some moment of the call: whoever was told of a
// change before the call finds it. It is safe for concurrent use, and its zero value is
// empty. What it holds is shared, and must not be changed.
type remembered[K comparable, V any] struct {
	mu   sync.Mutex // guards all below
	at   uint64     // the count of changes that the rows are of
	rows map[K]V
}

// get returns the row, with read where it has to be read. Errors are not remembered, so
// that nobody can fill the memory with names of nothing. With no changes to go by it
// always reads.
func (r *remembered[K, V]) get(c *changes, key K, read func() (V, error)) (V, error) {
	if c == nil {
		return read()
	}
	before, still := c.now()
	if still {
		if v, ok := r.known(before, key); ok {
			return v, nil
		}
	}
	v, err := read()
	if after, ok := c.now(); err == nil && still && ok && after == before {
		r.put(before, key, v)
	}
	return v, err
}

func (r *remembered[K, V]) known(at uint64, key K) (v V, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at != at {
		return v, false
	}
	v, ok = r.rows[key]
	return v, ok
}

// put keeps a row. Rows of an older count are forgotten with the first of a newer one.
func (r *remembered[K, V]) put(at uint64, key K, v V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case at < r.at:
		return
	case r.rows == nil || at > r.at || len(r.rows) >= maxRemembered:
		r.at, r.rows = at, map[K]V{}
	}
	r.rows[key] = v
}
