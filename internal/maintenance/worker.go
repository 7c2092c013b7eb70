package maintenance

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/refward/refward/internal/repo"
)

// Worker does the maintenance of one host, one thing at a time. Its exported fields are
// set once, before use, and all but Observe are required. PackAdded may be called at any
// time; Run, or Look and Sweep, by one goroutine.
type Worker struct {
	Options
	Store Store
	House *repo.House
	Now   func() time.Time
	Log   *slog.Logger

	// Observe is told of everything that was done. It may be nil.
	Observe func(Event)

	mu      sync.Mutex      // guards what follows
	spare   map[repo.ID]int // how many packs a repository may get before it is looked at
	waiting []repo.ID       // to be looked at, each once
	wake    chan struct{}   // made by the first who needs it

	// Of the working goroutine alone.
	failed  map[repo.ID]time.Time // when it was tried in vain
	orphans time.Time             // when they were last looked for
}

// Event is something that was done, or that failed.
type Event struct {
	Kind  Kind
	Count int           // packs that became one; blobs or files deleted
	Bytes int64         // written, or given back
	Took  time.Duration // of a consolidation
}

// Kind is what an [Event] is about.
type Kind string

// The kinds.
const (
	Consolidated     Kind = "consolidated"      // packs became one
	Overtaken        Kind = "overtaken"         // the repository changed, and nothing was done
	Failed           Kind = "failed"            // something went wrong
	DeadDeleted      Kind = "dead_deleted"      // a replaced pack, or a pack or an object of Git LFS of a deleted repository
	OrphanDeleted    Kind = "orphan_deleted"    // a blob that no row named
	TemporaryDeleted Kind = "temporary_deleted" // a folder that a push or a consolidation left
)

const (
	// firstSweep is how long after its start a host sweeps for the first time.
	firstSweep = time.Minute

	// retryAfter is how long a repository is left alone that could not be consolidated.
	retryAfter = time.Hour

	// maxKnown bounds what is remembered of repositories that got packs. It is all
	// forgotten then, which costs each of them one look.
	maxKnown = 1 << 16

	// waits is what spare says of a repository that is about to be looked at.
	waits = -1
)

// PackAdded says that a repository has one more pack. It returns at once.
func (w *Worker) PackAdded(id repo.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.spare == nil || len(w.spare) >= maxKnown {
		w.spare = map[repo.ID]int{}
	}
	switch left, seen := w.spare[id]; {
	case left == waits:
		return
	case seen && left > 1:
		w.spare[id] = left - 1
		return
	}
	w.waiting = append(w.waiting, id)
	w.spare[id] = waits
	select {
	case w.bell() <- struct{}{}:
	default:
	}
}

// bell returns the channel that wakes the worker. w.mu is held.
func (w *Worker) bell() chan struct{} {
	if w.wake == nil {
		w.wake = make(chan struct{}, 1)
	}
	return w.wake
}

// next takes a repository that waits, and false where none does.
func (w *Worker) next() (repo.ID, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		return "", false
	}
	id := w.waiting[0]
	w.waiting = w.waiting[1:]
	delete(w.spare, id)
	return id, true
}

// Run works until ctx ends. What it is in the middle of is given up then: nothing has
// been changed that is not whole.
func (w *Worker) Run(ctx context.Context) {
	w.mu.Lock()
	bell := w.bell()
	w.mu.Unlock()
	sweep := time.NewTimer(min(firstSweep, w.withDefaults().Interval))
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-bell:
			for id, ok := w.next(); ok && ctx.Err() == nil; id, ok = w.next() {
				w.try(ctx, id)
			}
		case <-sweep.C:
			if err := w.Sweep(ctx); err != nil && ctx.Err() == nil {
				w.Log.ErrorContext(ctx, "maintenance could not sweep", "error", err)
			}
			sweep.Reset(w.withDefaults().Interval)
		}
	}
}

// try is Look for those who go on with the next repository whatever happens.
func (w *Worker) try(ctx context.Context, id repo.ID) {
	if last, ok := w.failed[id]; ok && w.Now().Sub(last) < retryAfter {
		return
	}
	delete(w.failed, id)
	err := w.Look(ctx, id)
	if err == nil || ctx.Err() != nil {
		return
	}
	if w.failed == nil {
		w.failed = map[repo.ID]time.Time{}
	}
	w.failed[id] = w.Now()
	w.observe(Event{Kind: Failed, Count: 1})
	w.Log.ErrorContext(ctx, "maintenance of a repository failed; it is tried again later",
		"repository", id, "after", retryAfter, "error", err)
}

func (w *Worker) observe(e Event) {
	if w.Observe != nil {
		w.Observe(e)
	}
}

// spares notes how many packs the repository may get before something can be due.
func (w *Worker) spares(id repo.ID, packs []repo.Pack) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.spare == nil {
		w.spare = map[repo.ID]int{}
	}
	if w.spare[id] != waits {
		w.spare[id] = max(1, w.withDefaults().Packs-len(packs))
	}
}

// errOvertaken says that the repository changed under the work, again and again.
var errOvertaken = errors.New("the repository kept changing")
