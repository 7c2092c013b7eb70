package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// maxAttempts bounds how often an update runs when others are in its way.
const maxAttempts = 6

// view runs f on one snapshot. f must not write.
func (db *DB) view(ctx context.Context, f func(ctx context.Context, q querier) error) error {
	return db.retry(ctx, db.readers, nil, f)
}

// once runs f outside a transaction, for the reads on every request: f runs one
// statement, which is a snapshot by itself, and saves the BEGIN and the COMMIT.
func (db *DB) once(ctx context.Context, f func(ctx context.Context, q querier) error) (err error) {
	s, err := db.readers.take(ctx)
	if err != nil {
		return err
	}
	defer func() { db.readers.put(s, err) }() // also after a panic in f
	return f(ctx, querier{session: s, dialect: db.dialect})
}

// update runs f in a serialisable transaction and commits when f returns nil. When
// update returns nil the changes survive a crash; when it returns an error nothing
// has changed. f may run again after a conflict and must have no other effects. It
// must not wait for another update, which would wait for this one: no decision of
// package authz inside.
func (db *DB) update(ctx context.Context, f func(ctx context.Context, q querier) error) error {
	return db.retry(ctx, db.writer, db.changes, f)
}

// append is update for a transaction that changes no row that is remembered.
func (db *DB) append(ctx context.Context, f func(ctx context.Context, q querier) error) error {
	return db.retry(ctx, db.writer, nil, f)
}

func (db *DB) retry(ctx context.Context, p *pool, c *changes, f func(ctx context.Context, q querier) error) error {
	for attempt := 1; ; attempt++ {
		err := p.transact(ctx, c, f)
		if err == nil || attempt == maxAttempts || !db.dialect.isConflict(err) {
			return err
		}
		if waited := pause(ctx, attempt); waited != nil {
			return errors.Join(waited, err)
		}
	}
}

// pause waits a little longer after each attempt, by chance so that two in each
// other's way do not stay in step.
func pause(ctx context.Context, attempt int) error {
	most := time.Millisecond << attempt
	t := time.NewTimer(rand.N(most))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// transact runs f once in a transaction of the pool, and counts its commit in c.
func (p *pool) transact(ctx context.Context, c *changes, f func(ctx context.Context, q querier) error) (err error) {
	s, err := p.take(ctx)
	if err != nil {
		return err
	}
	q := querier{session: s, dialect: p.dialect}
	// BEGIN, COMMIT and ROLLBACK do not watch ctx. A driver that is interrupted while
	// it commits answers with an error although the commit may have been done, and
	// what an error means here is that nothing has changed.
	calm := context.WithoutCancel(ctx)
	if _, err := q.exec(calm, p.begin); err != nil {
		p.discard(s)
		return fmt.Errorf("begin: %w", err)
	}
	committed := false
	defer func() {
		// Also after a panic in f, which goes on to the caller.
		if committed {
			p.put(s, nil)
			return
		}
		if _, undo := q.exec(calm, "ROLLBACK"); undo != nil {
			// The engine rolls back when the connection goes.
			p.discard(s)
			return
		}
		p.put(s, nil)
	}()
	if err := f(ctx, q); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err // the caller has gone: the last moment to change nothing
	}
	err = c.during(func() error {
		_, err := q.exec(calm, "COMMIT")
		return err
	})
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	return nil
}
