// Package replay keeps answers: streams of bytes that cost much to make and are asked
// for again. An answer is made once, however many ask for it at the same time, and is
// read from the cache, by each at a pace of its own, while it is made and afterwards.
//
// A cache is bounded in bytes, on disk and in memory. What is on disk belongs to the
// process: a new one begins with an empty folder, and the checksum of each chunk is kept
// in memory and compared before the chunk is sent. What an answer means, and who may have
// it, is the caller's business: whoever knows a key gets the answer.
package replay

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/refward/refward/internal/share"
)

// Options configure a Cache. Dir, Go and Now are required.
type Options struct {
	Dir string // a folder of the cache's own: Open removes what is in it

	// Disk bounds the bytes of answers on disk, Memory those of answers so small (one
	// chunk) that they are kept in memory. Zero: 4 GiB and 32 MiB. One answer takes at
	// most half of Disk.
	Disk, Memory int64

	// Share bounds the bytes on disk that one holder (see package share) keeps in use by
	// reading them, and Wait how long one waits for room in it. Zero: a quarter of Disk,
	// and 2 minutes.
	Share int64
	Wait  time.Duration

	// Go runs a function apart from the request that asked for it, or says why not.
	// The context that the function makes answers in ends with Life.
	Go   func(func()) error
	Life context.Context

	Now func() time.Time
}

const (
	defaultDisk   = 4 << 30
	defaultMemory = 32 << 20
)

// ErrDamaged is returned where a part of an answer is not what was written, after an
// earlier part of it was sent.
var ErrDamaged = errors.New("a kept answer is damaged")

// ErrTooSlow is returned to a client that took so little of an answer that it held up
// others.
var ErrTooSlow = errors.New("too slow: others wait for the same answer, which is too long to be kept")

// errForgotten ends the making of an answer that nobody waits for.
var errForgotten = errors.New("nobody waits for the answer any more")

// Key names an answer: a digest of everything that it depends on.
type Key [sha256.Size]byte

// Request asks for an answer.
type Request struct {
	Key   Key
	Group string // what it is about; see [Cache.Drop]

	// Make makes the answer where it is not there. It runs apart from the request, until
	// it returns or nobody waits for the answer any more, in the name of all who wait for
	// it. The answer is kept if keep is true and err is nil. All who wait for it get what
	// was written, and then err.
	Make func(ctx context.Context, w *Writer) (keep bool, err error)
}

// Stats counts what a Cache did.
type Stats struct {
	Hits    int64 // answers that were there, or on their way
	Made    int64 // answers that had to be made
	Evicted int64 // answers that made room for others
	Damaged int64 // answers that were found damaged
	Kept    int64 // answers in the cache
	Disk    int64 // bytes on disk, also of answers that are being made or read for the last time
	Memory  int64 // bytes in memory
	Waited  int64 // requests that waited because their holder had its share
	Refused int64 // of those, the ones that waited in vain
}

// Cache is a bounded cache of answers. Safe for concurrent use.
type Cache struct {
	Options

	mu      sync.Mutex // guards what follows, and the lifecycle of each entry
	entries map[Key]*entry
	onDisk  queue // answers that nobody reads, and so can go
	inRAM   queue
	clock   float64 // see priority
	serial  uint64  // of the next file
	stats   Stats
	pinned  map[string]int64     // bytes on disk that a holder reads
	lines   map[string][]*waiter // who waits for room in the share of a holder

	buffers sync.Pool // of *[chunkSize]byte
}

// Open empties the folder.
func Open(o Options) (*Cache, error) {
	if o.Disk == 0 {
		o.Disk = defaultDisk
	}
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	if o.Share == 0 {
		o.Share = o.Disk / 4
	}
	if o.Wait == 0 {
		o.Wait = defaultWait
	}
	if err := errors.Join(os.RemoveAll(o.Dir), os.MkdirAll(o.Dir, 0o700)); err != nil {
		return nil, fmt.Errorf("open the cache of answers: %w", err)
	}
	return &Cache{
		Options: o, entries: map[Key]*entry{}, pinned: map[string]int64{}, lines: map[string][]*waiter{},
		buffers: sync.Pool{New: func() any { return new([chunkSize]byte) }},
	}, nil
}

// Stats returns what the Cache did so far.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	for _, e := range c.entries {
		if e.state == kept {
			s.Kept++
		}
	}
	return s
}

// maxAttempts bounds how often one request finds a damaged answer and asks anew.
const maxAttempts = 3

// Send sends the answer to one client, for the holder that the context names, and returns
// when it has all of it. The error is that of Make, of the client's writer, the context's,
// ErrDamaged, ErrTooSlow, or a [*share.Busy].
func (c *Cache) Send(ctx context.Context, q Request, to Client) error {
	again := true
	for attempt := 1; ; attempt++ {
		r, err := c.join(ctx, q)
		if err != nil {
			return err
		}
		err = r.send(ctx, to)
		c.leave(r)
		if _, busy := errors.AsType[*share.Busy](err); busy && r.joined && again {
			again = false // the patience that was at its end was another's
			continue
		}
		if !errors.Is(err, ErrDamaged) {
			return err
		}
		c.damaged(r.entry)
		if r.off > 0 || attempt == maxAttempts {
			return err
		}
	}
}

// join returns a reader of the answer, which is begun where it is not there.
func (c *Cache) join(ctx context.Context, q Request) (*reader, error) {
	holder := share.Holder(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok, err := c.find(ctx, q.Key, holder)
	if err != nil {
		return nil, err
	}
	if ok {
		c.stats.Hits++
		r := e.reader(holder)
		r.joined = true
		return r, nil
	}
	making, cancel := context.WithCancelCause(c.Life)
	c.serial++
	e = newEntry(c, q, c.serial, cancel)
	making = e.party.Context(making)
	c.pin(e, holder)
	err = c.Go(func() {
		defer cancel(nil)
		w := &Writer{entry: e, ctx: making}
		keep, err := q.Make(making, w)
		if err != nil && errors.Is(context.Cause(making), errForgotten) {
			err = errForgotten
		}
		w.finish(keep && err == nil, err)
	})
	if err != nil {
		cancel(nil)
		return nil, err
	}
	c.stats.Made++
	c.entries[q.Key] = e
	e.readers++
	return e.reader(holder), nil
}

// use begins the reading of a known answer. c.mu is held.
func (c *Cache) use(e *entry, holder string) {
	c.pin(e, holder)
	e.readers++
	e.uses++
	if e.state == kept {
		e.queue().remove(e)
	}
}

// leave ends a reading. An answer that nobody waits for is not made any further.
func (c *Cache) leave(r *reader) {
	e := r.entry
	r.close()
	c.mu.Lock()
	e.readers--
	c.unpin(e, r.holder)
	var gone string
	switch {
	case e.readers > 0:
	case e.state == kept:
		c.rest(e)
	case e.state == forgotten:
		gone = c.free(e)
	default: // being made
		c.forget(e)
		e.cancel(errForgotten)
	}
	c.mu.Unlock()
	remove(gone)
}

// forget takes an answer out of the index, so that nobody finds it any more. c.mu is held.
func (c *Cache) forget(e *entry) {
	if c.entries[e.key] == e {
		delete(c.entries, e.key)
	}
	if e.state == making {
		e.state = unwanted
	}
}

// finished is called when no more is written.
func (c *Cache) finished(e *entry, keep bool) {
	c.mu.Lock()
	keep = keep && e.state == making
	if keep && e.inMemory() {
		keep = c.reserveMemory(e)
	}
	var gone string
	switch {
	case keep:
		e.state = kept
		if e.readers == 0 {
			c.rest(e)
		}
	default:
		c.forget(e)
		e.state = forgotten
		if e.readers == 0 {
			gone = c.free(e)
		}
	}
	c.mu.Unlock()
	remove(gone)
}

// damaged drops an answer that is not what it was.
func (c *Cache) damaged(e *entry) {
	c.mu.Lock()
	if c.entries[e.key] == e {
		c.stats.Damaged++
	}
	gone := c.discard(e)
	c.mu.Unlock()
	remove(gone)
}

// discard makes sure that nobody finds the answer any more, and returns the file to
// remove. c.mu is held.
func (c *Cache) discard(e *entry) (file string) {
	c.forget(e)
	if e.state != kept {
		return "" // whoever reads or makes it frees it
	}
	e.state = forgotten
	if e.readers > 0 {
		return ""
	}
	e.queue().remove(e)
	return c.free(e)
}

// Drop drops the answers of a group. Those being read or made are read to their end, and
// not kept.
func (c *Cache) Drop(group string) {
	c.mu.Lock()
	var files []string
	for _, e := range c.entries {
		if e.group == group {
			files = append(files, c.discard(e))
		}
	}
	c.mu.Unlock()
	for _, f := range files {
		remove(f)
	}
}

// free gives back what the answer took. c.mu is held; the caller removes the file after
// it was released, because that may take long.
func (c *Cache) free(e *entry) (file string) {
	c.stats.Disk -= e.disk
	c.stats.Memory -= e.memory
	if e.filed {
		file = e.path
	}
	e.disk, e.memory = 0, 0
	return file
}

// remove removes a file of the cache, if one is named. It may be gone already: the
// folder may be deleted at any time.
func remove(file string) {
	if file != "" {
		_ = os.Remove(file)
	}
}
