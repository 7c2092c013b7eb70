package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/refward/refward/internal/authz"
)

const (
	// maxPendingDecisions bounds the entries that are not committed yet; who appends
	// more waits.
	maxPendingDecisions = 4096

	// decisionDelay is how long an entry that nobody waits for is held back, so that
	// more can share its commit.
	decisionDelay = 10 * time.Millisecond

	// finalAttempts is how often Close tries to write the rest.
	finalAttempts = 3
)

// Decisions is the decision log: it implements [authz.Log]. README.md tells the life of
// a decision. It is safe for concurrent use.
type Decisions struct {
	db    *DB
	log   *slog.Logger
	write func(ctx context.Context, rows []decisionRow) error // [DB.appendDecisions]

	slots chan struct{}        // one taken for each entry that is not committed
	queue chan pendingDecision // never blocks: it has room for every slot

	closing chan struct{} // closed first, so that nobody waits for a slot any more
	mu      sync.RWMutex  // read-locked while a call appends to the queue; guards closed
	closed  bool
	once    sync.Once
	ended   chan struct{} // closed by the committing goroutine when it ends
	lost    error         // what Close answers; set before ended is closed
}

// pendingDecision is one entry on its way.
type pendingDecision struct {
	row    decisionRow
	urgent bool         // someone waits for the commit
	answer chan<- error // where that someone waits; on the last entry of the call
}

// OpenDecisions starts the decision log of the database. It must be closed before the
// database is. ctx gives the values of its work, not its end. Failed commits are
// logged, because for most entries nobody waits who could be told.
func (db *DB) OpenDecisions(ctx context.Context, log *slog.Logger) *Decisions {
	return openDecisions(ctx, db, log, db.appendDecisions)
}

func openDecisions(ctx context.Context, db *DB, log *slog.Logger, write func(context.Context, []decisionRow) error) *Decisions {
	d := &Decisions{
		db: db, log: log, write: write,
		slots:   make(chan struct{}, maxPendingDecisions),
		queue:   make(chan pendingDecision, maxPendingDecisions),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
	}
	go d.run(context.WithoutCancel(ctx))
	return d
}

// Append implements [authz.Log]. Who gives up waiting for a durable entry does not take
// it back.
func (d *Decisions) Append(ctx context.Context, entries ...authz.Entry) error {
	pending := make([]pendingDecision, len(entries))
	durable := false
	for i, e := range entries {
		row, err := newDecisionRow(e)
		if err != nil {
			return err
		}
		pending[i].row = row
		durable = durable || e.Durable
	}
	if !durable {
		return d.enqueue(ctx, pending)
	}
	committed := make(chan error, 1)
	for i := range pending {
		pending[i].urgent = true
	}
	// Entries are committed in order, so the last one stands for all.
	pending[len(pending)-1].answer = committed
	if err := d.enqueue(ctx, pending); err != nil {
		return err
	}
	select {
	case err := <-committed:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Decisions) enqueue(ctx context.Context, pending []pendingDecision) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return errDecisionsClosed
	}
	for _, p := range pending {
		select {
		case d.slots <- struct{}{}:
			d.queue <- p
		case <-d.closing:
			return errDecisionsClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

var errDecisionsClosed = fmt.Errorf("the decision log: %w", ErrClosed)

// Close refuses new entries, writes the rest and waits until that is done. Its error
// says that entries were lost.
func (d *Decisions) Close() error {
	d.once.Do(func() {
		close(d.closing)
		d.mu.Lock() // until every call that is appending has ended
		d.closed = true
		d.mu.Unlock()
		close(d.queue)
	})
	<-d.ended
	return d.lost
}

// run is the committing goroutine: the only one that writes the log.
func (d *Decisions) run(ctx context.Context) {
	defer close(d.ended)
	for first := range d.queue {
		d.commit(ctx, d.gather(first))
	}
}

// gather returns what shares the next commit. As soon as someone waits for it, that is
// what is there; before, it waits for more.
func (d *Decisions) gather(first pendingDecision) []pendingDecision {
	batch := []pendingDecision{first}
	urgent := first.urgent
	held := time.NewTimer(decisionDelay)
	defer held.Stop()
	for len(batch) < maxPendingDecisions && !urgent {
		select {
		case p, open := <-d.queue:
			if !open {
				return batch
			}
			batch, urgent = append(batch, p), p.urgent
		case <-held.C:
			return batch
		}
	}
	return d.take(batch)
}

// take adds what is in the queue now.
func (d *Decisions) take(batch []pendingDecision) []pendingDecision {
	for {
		select {
		case p, open := <-d.queue:
			if !open {
				return batch
			}
			batch = append(batch, p)
		default:
			return batch
		}
	}
}

// commit writes a batch. When that fails it tells who waits, keeps the batch, because
// others were promised that their entries are not dropped, and tries again together
// with what came in the meantime. It gives up only when the log is being closed.
func (d *Decisions) commit(ctx context.Context, batch []pendingDecision) {
	final := 0
	for attempt := 1; ; attempt++ {
		err := d.write(ctx, rowsOf(batch))
		for i := range batch {
			if batch[i].answer != nil {
				batch[i].answer <- err
				batch[i].answer = nil // once: it has room for one
			}
		}
		if err == nil {
			if attempt > 1 {
				d.log.InfoContext(ctx, "the decision log is written again", "entries", len(batch))
			}
			break
		}
		d.log.ErrorContext(ctx, "the decision log could not be written", "error", err, "entries", len(batch), "attempt", attempt)
		if d.isClosing() {
			final++
		}
		if final == finalAttempts {
			d.lost = errors.Join(d.lost, fmt.Errorf("%d entries of the decision log are lost: %w", len(batch), err))
			break
		}
		d.pause(attempt)
		batch = d.take(batch)
	}
	for range batch {
		<-d.slots
	}
}

func rowsOf(batch []pendingDecision) []decisionRow {
	rows := make([]decisionRow, len(batch))
	for i, p := range batch {
		rows[i] = p.row
	}
	return rows
}

func (d *Decisions) isClosing() bool {
	select {
	case <-d.closing:
		return true
	default:
		return false
	}
}

// pause waits a little longer after each failed attempt, and not at all when closing.
func (d *Decisions) pause(attempt int) {
	t := time.NewTimer(min(decisionDelay<<min(attempt, 10), time.Second))
	defer t.Stop()
	select {
	case <-t.C:
	case <-d.closing:
	}
}
