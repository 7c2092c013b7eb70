package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"runtime"
	"time"

	"github.com/refward/refward/internal/codecommit"
)

// ErrNewerSchema is returned, wrapped, by [Open] for a database that a newer version
// of the program has migrated: running on it could damage what we do not know.
var ErrNewerSchema = errors.New("the database's schema is newer than this program")

// ErrUnsafe is returned, wrapped, by [Open] for an engine that would lose what it
// acknowledged.
var ErrUnsafe = errors.New("the database is not safe to run on")

// ErrClosed is returned, wrapped, for every use of a closed [DB].
var ErrClosed = errors.New("the metadata store is closed")

// Config says where the rows are.
type Config struct {
	// Dir is the data directory. The database is the file metadata.db in it; both
	// are made, readable by their owner alone, where they do not exist.
	Dir string

	// Readers is how many views can run at once; 0 is four for each processor.
	Readers int

	// BusyTimeout is how long a transaction waits for another process that holds
	// the database, such as a backup; 0 is five seconds.
	BusyTimeout time.Duration

	// Alone says that no other process writes the database while it is open. What is
	// read on every request is then read once for each change.
	Alone bool

	// Log receives one line for each migration; nil logs nothing.
	Log *slog.Logger
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	dialect *dialect
	writer  *pool // one connection: updates run one after the other
	readers *pool

	changes      *changes // nil where others may write
	generations  remembered[string, int64]
	credentials  remembered[string, credentialHolder]
	sshKeys      remembered[string, sshKeyHolder]
	repositories remembered[repositoryName, codecommit.Repository]
}

// Open opens the database, refuses one that is unsafe or newer than the program, and
// brings its schema up to date.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	return open(ctx, cfg, sqlite(), migrationFiles)
}

func open(ctx context.Context, cfg Config, d *dialect, files fs.FS) (_ *DB, err error) {
	if cfg.Readers <= 0 {
		cfg.Readers = 4 * runtime.GOMAXPROCS(0)
	}
	if cfg.BusyTimeout <= 0 {
		cfg.BusyTimeout = 5 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	writer, readers, err := d.open(cfg)
	if err != nil {
		return nil, fmt.Errorf("open the metadata database: %w", err)
	}
	db := &DB{
		dialect: d,
		writer:  newPool(writer, 1, d.beginUpdate, d),
		readers: newPool(readers, cfg.Readers, d.beginView, d),
	}
	if cfg.Alone {
		db.changes = new(changes)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}()
	if err := d.check(ctx, writer); err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Dir, err)
	}
	if err := migrate(ctx, writer, d, files, cfg.Log); err != nil {
		return nil, err
	}
	return db, nil
}

// Close waits for the views and updates that are running and closes the database.
// What comes later gets [ErrClosed].
func (db *DB) Close() error {
	return errors.Join(db.writer.close(), db.readers.close())
}
