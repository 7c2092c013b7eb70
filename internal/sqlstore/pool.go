package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync"
)

// A session is one connection with the statements it has prepared. It is used by one
// goroutine at a time.
type session struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// maxStatements bounds the prepared statements of one session. The queries of this
// package are constants and fewer than this; the bound is for the day when they are not.
const maxStatements = 512

// prepared returns the statement, prepared once for the session.
func (s *session) prepared(ctx context.Context, d *dialect, query string) (*sql.Stmt, error) {
	if st, ok := s.stmts[query]; ok {
		return st, nil
	}
	if len(s.stmts) >= maxStatements {
		for text, st := range s.stmts {
			if err := st.Close(); err != nil {
				return nil, err
			}
			delete(s.stmts, text)
		}
	}
	st, err := s.conn.PrepareContext(ctx, d.rewrite(query))
	if err != nil {
		return nil, err
	}
	s.stmts[query] = st
	return st, nil
}

// close gives the connection back to database/sql, which closes it with its statements.
func (s *session) close() error {
	if err := s.conn.Close(); !errors.Is(err, sql.ErrConnDone) {
		return err
	}
	return nil // it was gone already
}

// A pool is a fixed number of sessions, opened when first needed. It is safe for
// concurrent use; those who wait are served in order.
type pool struct {
	db      *sql.DB
	dialect *dialect
	begin   string
	free    chan *session // nil stands for a session not opened yet
	done    chan struct{} // closed by close
	once    sync.Once
}

func newPool(db *sql.DB, size int, begin string, d *dialect) *pool {
	// Start-up borrows a connection before any session is open, so more than the
	// sessions are never needed.
	db.SetMaxOpenConns(size)
	p := &pool{db: db, dialect: d, begin: begin, free: make(chan *session, size), done: make(chan struct{})}
	for range size {
		p.free <- nil
	}
	return p
}

// take waits for a session.
func (p *pool) take(ctx context.Context) (*session, error) {
	select {
	case <-p.done:
		return nil, ErrClosed
	default:
	}
	var s *session
	select {
	case <-p.done:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	case s = <-p.free:
	}
	if s != nil {
		return s, nil
	}
	conn, err := p.db.Conn(ctx)
	if err != nil {
		p.free <- nil
		return nil, fmt.Errorf("open a connection: %w", err)
	}
	return &session{conn: conn, stmts: map[string]*sql.Stmt{}}, nil
}

// put gives a session back for the next to take. err is what its last use answered: a
// connection that is gone is not kept.
func (p *pool) put(s *session, err error) {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		p.discard(s)
		return
	}
	p.free <- s
}

// discard closes a session whose connection is in an unknown state; the next one to
// take its place opens a new one.
func (p *pool) discard(s *session) {
	// Raw with ErrBadConn makes database/sql close the connection instead of keeping
	// it, with all its statements; an engine then rolls back what was open.
	_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
	p.free <- nil
}

// close waits until every session was given back and closes them.
func (p *pool) close() error {
	var errs []error
	p.once.Do(func() {
		close(p.done)
		for range cap(p.free) {
			if s := <-p.free; s != nil {
				errs = append(errs, s.close())
			}
		}
		errs = append(errs, p.db.Close())
	})
	return errors.Join(errs...)
}
