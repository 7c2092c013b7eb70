package replay

import (
	"context"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"sync"
	"time"

	"github.com/refward/refward/internal/share"
)

// chunkSize is the most that is written, read and checked at once. An answer of one
// chunk is kept in memory.
const chunkSize = 128 << 10

// windowChunks is how many chunks of an answer that there is no room for are in memory at
// once. Whoever makes it waits for the slowest of those who read it.
const windowChunks = 8

// An answer that is not kept goes on, where some wait for others, by at least lagBytes for
// each lagTime that they have waited: those who are slower, and held all others up with
// as little as they please to take, are cut off. Who is alone may be as slow as the door
// lets them.
const (
	lagTime  = 30 * time.Second
	lagBytes = 30 << 20
)

// maxSaid bounds what is told beside an answer.
const maxSaid = 64 << 10

// crcTable is of the polynomial that processors know (CRC-32C).
var crcTable = crc32.MakeTable(crc32.Castagnoli)

// state is where an answer is in its life.
type state uint8

const (
	making    state = iota // being made, and found by who asks for it
	unwanted               // being made, and not to be kept
	kept                   // complete, and found
	forgotten              // not found, and freed when its last reader leaves
)

// resting is the place in a queue of an entry that is in none.
const resting = -1

// chunk is a part of an answer that does not change any more.
type chunk struct {
	off  int64
	size int
	sum  uint32
	data []byte // nil: it is in the file, or every reader has read it
}

// entry is one answer.
type entry struct {
	cache  *Cache
	key    Key
	group  string
	path   string
	cancel context.CancelCauseFunc // ends its making
	party  *share.Party            // who reads it, and so in whose name it is made

	// Guarded by the cache's mutex.
	state        state
	readers      int
	holders      map[string]int // of the readers
	uses         int
	disk, memory int64 // what it takes
	filed        bool  // it may have a file
	priority     float64
	place        int // in its queue

	mu      sync.Mutex // guards what follows, where it is not said otherwise
	chunks  []chunk
	open    []byte // the end, still growing; only the writer changes it
	openOff int64
	size    int64
	said    []byte
	done    bool
	err     error
	news    chan struct{} // closed when one of the above changed

	// Of an answer that there is no room for.
	window bool                 // chunks from first on stay in memory
	first  int                  // chunk that is still in memory
	tails  map[*reader]struct{} // who reads it
	moved  chan struct{}        // has a token when a reader went on
}

func newEntry(c *Cache, q Request, serial uint64, cancel context.CancelCauseFunc) *entry {
	return &entry{
		cache: c, key: q.Key, group: q.Group, cancel: cancel, party: share.NewParty(), holders: map[string]int{}, uses: 1, place: resting,
		path: filepath.Join(c.Dir, fmt.Sprintf("%016x", serial)),
		news: make(chan struct{}), tails: map[*reader]struct{}{}, moved: make(chan struct{}, 1),
	}
}

// queue is the queue of the cache that the entry rests in.
func (e *entry) queue() *queue {
	if e.memory > 0 {
		return &e.cache.inRAM
	}
	return &e.cache.onDisk
}

// inMemory reports whether a complete answer has nothing on disk.
func (e *entry) inMemory() bool { return !e.filed }

// reader adds a reader at the beginning.
func (e *entry) reader(holder string) *reader {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := &reader{entry: e, holder: holder}
	e.tails[r] = struct{}{}
	return r
}

// tell wakes up who waits for news. e.mu is held.
func (e *entry) tell() {
	close(e.news)
	e.news = make(chan struct{})
}

// starved reports whether somebody has read all that there is. e.mu is held.
func (e *entry) starved() bool {
	for r := range e.tails {
		if r.off == e.size {
			return true
		}
	}
	return false
}

// cut cuts off those who hold the oldest chunk in memory. e.mu is held.
func (e *entry) cut() {
	if e.first == len(e.chunks) {
		return
	}
	oldest := e.chunks[e.first]
	for r := range e.tails {
		if r.off < oldest.off+int64(oldest.size) {
			r.cut = true
			delete(e.tails, r)
		}
	}
}

// went tells the writer that a reader went on, or left. e.mu is held.
func (e *entry) went() {
	if !e.window {
		return
	}
	e.trim()
	select {
	case e.moved <- struct{}{}:
	default:
	}
}

// trim lets go of the chunks in memory that every reader has read. e.mu is held.
func (e *entry) trim() {
	if !e.window {
		return
	}
	slowest := e.size
	for r := range e.tails {
		slowest = min(slowest, r.off)
	}
	for ; e.first < len(e.chunks); e.first++ {
		k := &e.chunks[e.first]
		if k.off+int64(k.size) > slowest {
			break
		}
		k.data = nil
	}
}
