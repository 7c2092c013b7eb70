package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// errNoRow is what one answers when there is no row. Every file of this package
// translates it to its domain's own error.
var errNoRow = errors.New("no row")

// errUnique is what exec answers, wrapped, when a row with that key exists.
var errUnique = errors.New("a row with this key exists")

// A querier runs statements inside one transaction. It is used by one goroutine, and
// not after the transaction's function has returned. Queries are constants with
// parameters $1, $2, …; each session prepares them once.
type querier struct {
	session *session
	dialect *dialect
}

// exec runs a statement and returns how many rows it affected. A violated primary key
// or unique index is errUnique.
func (q querier) exec(ctx context.Context, query string, args ...any) (int64, error) {
	st, err := q.session.prepared(ctx, q.dialect, query)
	if err != nil {
		return 0, fmt.Errorf("prepare: %w", err)
	}
	res, err := st.ExecContext(ctx, args...)
	if err != nil {
		if q.dialect.isUnique(err) {
			return 0, fmt.Errorf("%w: %w", errUnique, err)
		}
		return 0, err
	}
	return res.RowsAffected()
}

// swap runs a statement that changes one row if it is still as the statement's WHERE
// says, and reports whether it was: the compare-and-swap of this package.
func (q querier) swap(ctx context.Context, query string, args ...any) (bool, error) {
	n, err := q.exec(ctx, query, args...)
	if err != nil {
		return false, err
	}
	if n > 1 {
		return false, fmt.Errorf("a statement for one row changed %d", n)
	}
	return n == 1, nil
}

// one reads the first row into dest, or answers errNoRow.
func (q querier) one(ctx context.Context, query string, args []any, dest ...any) error {
	st, err := q.session.prepared(ctx, q.dialect, query)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	err = st.QueryRowContext(ctx, args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return errNoRow
	}
	return err
}

// each calls row for every row of the answer. row must not run statements: an engine
// may have the connection busy until the answer was read.
func (q querier) each(ctx context.Context, query string, args []any, row func(scan func(dest ...any) error) error) (err error) {
	st, err := q.session.prepared(ctx, q.dialect, query)
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	rows, err := st.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// collect reads every row of the answer with scan.
func collect[T any](ctx context.Context, q querier, scan func(scan func(dest ...any) error) (T, error), query string, args ...any) ([]T, error) {
	var all []T
	err := q.each(ctx, query, args, func(row func(dest ...any) error) error {
		v, err := scan(row)
		if err != nil {
			return err
		}
		all = append(all, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// translate turns this package's own errors into the domain's, keeping the text of
// what was looked for. Either may be nil where it cannot occur.
func translate(err, notFound, exists error) error {
	switch {
	case err == nil:
		return nil
	case notFound != nil && errors.Is(err, errNoRow):
		return notFound
	case exists != nil && errors.Is(err, errUnique):
		return exists
	default:
		return err
	}
}

// millis is how a time is stored: milliseconds since 1970, and 0 for the zero time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the inverse of millis, in UTC.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
