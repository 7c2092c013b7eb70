package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/pressly/goose/v3"
	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// DatabaseFile is the name of the SQLite file in the data directory.
const DatabaseFile = "metadata.db"

// sqlite is the embedded engine: write-ahead log, a disk flush for each commit, one
// writer at a time.
func sqlite() *dialect {
	return &dialect{
		goose:      goose.DialectSQLite3,
		migrations: "migrations/sqlite",
		open:       openSQLite,
		check:      checkSQLite,
		integrity:  integritySQLite,
		// IMMEDIATE takes the write lock at once. A deferred transaction that reads
		// first can find, on its first write, that another one has written since, and
		// then cannot go on.
		beginUpdate: "BEGIN IMMEDIATE",
		beginView:   "BEGIN DEFERRED",
		rewrite:     rewriteSQLite,
		isUnique:    isUniqueSQLite,
		isConflict:  isConflictSQLite,
	}
}

func openSQLite(cfg Config) (writer, readers *sql.DB, err error) {
	path, err := filepath.Abs(filepath.Join(cfg.Dir, DatabaseFile))
	if err != nil {
		return nil, nil, err
	}
	if err := createPrivate(path); err != nil {
		return nil, nil, err
	}
	if writer, err = sql.Open("sqlite", sqliteURI(path, cfg, false)); err != nil {
		return nil, nil, err
	}
	if readers, err = sql.Open("sqlite", sqliteURI(path, cfg, true)); err != nil {
		return nil, nil, errors.Join(err, writer.Close())
	}
	return writer, readers, nil
}

// createPrivate makes an empty database file that only its owner can read; SQLite
// gives the write-ahead log the same mode.
func createPrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func sqliteURI(path string, cfg Config, readOnly bool) string {
	q := url.Values{}
	q.Set("_busy_timeout", strconv.FormatInt(cfg.BusyTimeout.Milliseconds(), 10))
	q.Set("_journal_mode", "WAL")
	q.Set("_synchronous", "FULL")
	q.Set("_foreign_keys", "off")
	q.Set("_dqs", "false") // a misspelt column must not turn into a text
	q.Set("_defensive", "true")
	q.Add("_pragma", "journal_size_limit(67108864)") // the log shrinks again after a large transaction
	if readOnly {
		q.Set("_query_only", "true")
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	return u.String()
}

// checkSQLite asks the engine what it really does: a file system without shared
// memory silently refuses WAL, and synchronous=NORMAL loses acknowledged commits on
// power loss.
func checkSQLite(ctx context.Context, db *sql.DB) error {
	for _, want := range []struct{ pragma, value string }{
		{"journal_mode", "wal"},
		{"synchronous", "2"},
		{"foreign_keys", "0"},
	} {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+want.pragma).Scan(&got); err != nil {
			return fmt.Errorf("check the database: PRAGMA %s: %w", want.pragma, err)
		}
		if got != want.value {
			return fmt.Errorf("%w: PRAGMA %s is %q, not %q", ErrUnsafe, want.pragma, got, want.value)
		}
	}
	return nil
}

// integritySQLite asks SQLite to read everything, indexes included.
func integritySQLite(ctx context.Context, q querier) (wrong []string, err error) {
	all, err := collect(ctx, q, func(scan func(...any) error) (line string, err error) { return line, scan(&line) }, `PRAGMA integrity_check(100)`)
	for _, line := range all {
		if line != "ok" {
			wrong = append(wrong, line)
		}
	}
	return wrong, err
}

var parameter = regexp.MustCompile(`\$([1-9][0-9]?)`)

// rewriteSQLite: to SQLite $1 is a parameter named "1" whose number is the order of
// its first appearance; ?1 is the first parameter.
func rewriteSQLite(query string) string {
	return parameter.ReplaceAllString(query, "?$1")
}

func isUniqueSQLite(err error) bool {
	e, ok := errors.AsType[*driver.Error](err)
	return ok && (e.Code() == codes.SQLITE_CONSTRAINT_UNIQUE || e.Code() == codes.SQLITE_CONSTRAINT_PRIMARYKEY)
}

// isConflictSQLite: with one writer per process only another process can be in the way.
func isConflictSQLite(err error) bool {
	e, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return false
	}
	primary := e.Code() & 0xff
	return primary == codes.SQLITE_BUSY || primary == codes.SQLITE_LOCKED
}
