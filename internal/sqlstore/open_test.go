package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
)

func openTest(t *testing.T) *DB {
	t.Helper()
	return openAt(t, t.TempDir())
}

func openAt(t *testing.T, dir string) *DB {
	t.Helper()
	db, err := Open(t.Context(), Config{Dir: dir, Alone: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

const insertAccount = `INSERT INTO iam_account (account_id, gen, created) VALUES ($1, $2, $3)`

func countAccounts(t *testing.T, db *DB) (n int) {
	t.Helper()
	err := db.view(t.Context(), func(ctx context.Context, q querier) error {
		return q.one(ctx, `SELECT count(*) FROM iam_account`, nil, &n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpenIsPrivateAndReopens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%20", "data") // characters that mean something in a URI
	db, err := Open(t.Context(), Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	err = db.update(t.Context(), func(ctx context.Context, q querier) error {
		_, err := q.exec(ctx, insertAccount, "111122223333", 1, 2)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{DatabaseFile, DatabaseFile + "-wal"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("mode of %s is %o, want 600", name, got)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if n := countAccounts(t, openAt(t, dir)); n != 1 {
		t.Errorf("after reopening there are %d accounts, want 1", n)
	}
}

func TestUpdateRollsBack(t *testing.T) {
	db := openTest(t)
	cancelled, cancel := context.WithCancel(t.Context())
	insert := func(ctx context.Context, q querier) {
		if _, err := q.exec(ctx, insertAccount, "111122223333", 1, 2); err != nil {
			t.Error(err)
		}
	}
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		ctx  context.Context
		f    func(ctx context.Context, q querier) error
		want error
	}{
		"on an error": {t.Context(), func(ctx context.Context, q querier) error {
			insert(ctx, q)
			return boom
		}, boom},
		"on a cancel before the commit": {cancelled, func(ctx context.Context, q querier) error {
			insert(ctx, q)
			cancel()
			return nil
		}, context.Canceled},
		"on a duplicate key": {t.Context(), func(ctx context.Context, q querier) error {
			insert(ctx, q)
			_, err := q.exec(ctx, insertAccount, "111122223333", 1, 2)
			return err
		}, errUnique},
	} {
		t.Run(name, func(t *testing.T) {
			if err := db.update(c.ctx, c.f); !errors.Is(err, c.want) {
				t.Errorf("update answered %v, want %v", err, c.want)
			}
			if n := countAccounts(t, db); n != 0 {
				t.Errorf("%d rows survived", n)
			}
		})
	}
	t.Run("on a panic", func(t *testing.T) {
		func() {
			defer func() {
				if r := recover(); r != boom {
					t.Errorf("recovered %v, want the panic of the function", r)
				}
			}()
			_ = db.update(t.Context(), func(ctx context.Context, q querier) error {
				insert(ctx, q)
				panic(boom)
			})
		}()
		if n := countAccounts(t, db); n != 0 {
			t.Errorf("%d rows survived", n)
		}
	})
}

func TestViewIsOneSnapshotAndCannotWrite(t *testing.T) {
	db := openTest(t)
	count := func(ctx context.Context, q querier) (n int) {
		if err := q.one(ctx, `SELECT count(*) FROM iam_account`, nil, &n); err != nil {
			t.Error(err)
		}
		return n
	}
	err := db.view(t.Context(), func(ctx context.Context, q querier) error {
		before := count(ctx, q)
		err := db.update(ctx, func(ctx context.Context, q querier) error {
			_, err := q.exec(ctx, insertAccount, "111122223333", 1, 2)
			return err
		})
		if after := count(ctx, q); after != before {
			t.Errorf("the view saw %d, then %d rows", before, after)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.view(t.Context(), func(ctx context.Context, q querier) error {
		_, err := q.exec(ctx, insertAccount, "444455556666", 1, 2)
		return err
	})
	if err == nil {
		t.Error("a view could write")
	}
	if n := countAccounts(t, db); n != 1 {
		t.Errorf("there are %d rows, want 1", n)
	}
}

func TestSwapLetsOneWin(t *testing.T) {
	db := openTest(t)
	err := db.update(t.Context(), func(ctx context.Context, q querier) error {
		_, err := q.exec(ctx, insertAccount, "111122223333", 0, 2)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	const workers, each = 8, 25
	var won sync.Map
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for old := range each {
				err := db.update(t.Context(), func(ctx context.Context, q querier) error {
					ok, err := q.swap(ctx, `UPDATE iam_account SET gen = $3 WHERE account_id = $1 AND gen = $2`, "111122223333", old, old+1)
					if err != nil || !ok {
						return err
					}
					if _, twice := won.LoadOrStore(old, true); twice {
						return fmt.Errorf("generation %d was swapped twice", old)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var gen int
	err = db.view(t.Context(), func(ctx context.Context, q querier) error {
		return q.one(ctx, `SELECT gen FROM iam_account WHERE account_id = $1`, []any{"111122223333"}, &gen)
	})
	if err != nil || gen != each {
		t.Errorf("generation is %d (%v), want %d", gen, err, each)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	db := openTest(t)
	err := db.update(t.Context(), func(ctx context.Context, q querier) error {
		impatient, cancel := context.WithCancel(ctx)
		cancel()
		err := db.update(impatient, func(context.Context, querier) error { return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a waiting update answered %v, want context.Canceled", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLostConnections: a session whose connection is gone is replaced, wherever that
// is found out.
func TestLostConnections(t *testing.T) {
	db, err := Open(t.Context(), Config{Dir: t.TempDir(), Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	lose := func(p *pool) {
		s, err := p.take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_ = s.conn.Raw(func(any) error { return driver.ErrBadConn })
		p.put(s, nil)
	}
	for name, run := range map[string]func() error{
		"once": func() error {
			var n int
			return db.once(t.Context(), func(ctx context.Context, q querier) error {
				return q.one(ctx, `SELECT count(*) FROM iam_account`, nil, &n)
			})
		},
		"view":   func() error { return db.view(t.Context(), func(context.Context, querier) error { return nil }) },
		"update": func() error { return db.update(t.Context(), func(context.Context, querier) error { return nil }) },
	} {
		lose(db.readers)
		lose(db.writer)
		if err := run(); err == nil {
			t.Errorf("%s: the test lost no connection", name)
		}
		if err := run(); err != nil {
			t.Errorf("%s on the next connection: %v", name, err)
		}
	}
}

func TestClosedRefuses(t *testing.T) {
	db, err := Open(t.Context(), Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	nothing := func(context.Context, querier) error { return nil }
	if err := db.view(t.Context(), nothing); !errors.Is(err, ErrClosed) {
		t.Errorf("view answered %v, want ErrClosed", err)
	}
	if err := db.update(t.Context(), nothing); !errors.Is(err, ErrClosed) {
		t.Errorf("update answered %v, want ErrClosed", err)
	}
	if err := db.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestOpenRefusesANewerSchema(t *testing.T) {
	dir := t.TempDir()
	future := fstest.MapFS{"migrations/sqlite/00001_future.sql": {Data: []byte("-- +goose Up\nCREATE TABLE a (b TEXT);\n")},
		"migrations/sqlite/09999_future.sql": {Data: []byte("-- +goose Up\nCREATE TABLE c (d TEXT);\n")}}
	db, err := open(t.Context(), Config{Dir: dir, Readers: 1}, sqlite(), future)
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Dir: dir}); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("open answered %v, want ErrNewerSchema", err)
	}
}

func TestCheckRefusesAnUnsafeEngine(t *testing.T) {
	for _, pragma := range []string{"synchronous = NORMAL", "synchronous = OFF", "foreign_keys = ON"} {
		t.Run(pragma, func(t *testing.T) {
			dir := t.TempDir()
			d := sqlite()
			good := d.check
			writer, readers, err := d.open(Config{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = writer.Close(); _ = readers.Close() }()
			writer.SetMaxOpenConns(1)
			if err := good(t.Context(), writer); err != nil {
				t.Fatalf("a fresh database is refused: %v", err)
			}
			if _, err := writer.ExecContext(t.Context(), "PRAGMA "+pragma); err != nil {
				t.Fatal(err)
			}
			if err := good(t.Context(), writer); !errors.Is(err, ErrUnsafe) {
				t.Errorf("check answered %v, want ErrUnsafe", err)
			}
		})
	}
}

func TestRewrite(t *testing.T) {
	got := rewriteSQLite(`SELECT $2, $1, $12 FROM t WHERE a = '$' AND b = $3`)
	if want := `SELECT ?2, ?1, ?12 FROM t WHERE a = '$' AND b = ?3`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
