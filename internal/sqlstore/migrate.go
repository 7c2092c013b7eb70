package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
)

// migrationFiles are the numbered steps of each dialect's schema. A step that was
// released is never changed; the next one corrects it.
//
//go:embed migrations
var migrationFiles embed.FS

// migrate brings the schema up to date, each step in its own transaction.
func migrate(ctx context.Context, db *sql.DB, d *dialect, files fs.FS, log *slog.Logger) error {
	steps, err := fs.Sub(files, d.migrations)
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	p, err := goose.NewProvider(d.goose, db, steps,
		goose.WithDisableGlobalRegistry(true),
		goose.WithTableName("schema_version"),
		goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	have, known, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if have > known {
		return fmt.Errorf("%w: it is at version %d, this program knows %d", ErrNewerSchema, have, known)
	}
	done, err := p.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrate the schema: %w", err)
	}
	for _, r := range done {
		log.InfoContext(ctx, "migrated the metadata schema", "step", r.Source.Path, "took", r.Duration)
	}
	return nil
}
