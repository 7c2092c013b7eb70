package sqlstore

import (
	"context"
	"database/sql"

	"github.com/pressly/goose/v3"
)

// A dialect is everything that differs between SQL engines.
type dialect struct {
	goose      goose.Dialect
	migrations string // folder of the embedded migrations

	// open opens the two pools of connections. The first is for updates.
	open func(Config) (writer, readers *sql.DB, err error)

	// check refuses an engine that would lose what it acknowledged (ErrUnsafe).
	check func(ctx context.Context, db *sql.DB) error

	// integrity returns what is wrong with the engine's own files, one sentence each.
	integrity func(ctx context.Context, q querier) ([]string, error)

	beginUpdate string // starts a serialisable transaction
	beginView   string // starts a read-only transaction on one snapshot

	// rewrite turns $1 into what the engine calls its parameters.
	rewrite func(query string) string

	// isUnique reports whether err is the violation of a primary key or a unique index.
	isUnique func(err error) bool

	// isConflict reports whether err says that the transaction was given up because of
	// another one, has changed nothing, and may be run again.
	isConflict func(err error) bool
}
