package sqlstore

import (
	"context"
	"fmt"

	"github.com/refward/refward/internal/repo"
)

const packColumns = `pack_id, blob, sha256, size, objects, created, bitmap, consolidated`

// packFields are where the packColumns go; created gets its own.
func packFields(p *repo.Pack, created *int64) []any {
	return []any{&p.ID, &p.Key, &p.SHA256, &p.Size, &p.Objects, created, &p.Bitmap, &p.Consolidated}
}

const selectPacks = `SELECT ` + packColumns + ` FROM pack WHERE repo_id = $1 AND dead_at IS NULL ORDER BY pack_id`

func (t codecommitTx) Packs(ctx context.Context, id repo.ID) ([]repo.Pack, error) {
	return collect(ctx, t.q, func(scan func(...any) error) (p repo.Pack, err error) {
		var created int64
		err = scan(packFields(&p, &created)...)
		p.Created = fromMillis(created)
		return p, err
	}, selectPacks, id)
}

// PackData also answers for a dead pack that was not swept yet: who reads an older
// snapshot may still need it.
func (t codecommitTx) PackData(ctx context.Context, id repo.ID, packID string) (data []byte, err error) {
	err = t.q.one(ctx, `SELECT data FROM pack WHERE repo_id = $1 AND pack_id = $2 AND data IS NOT NULL`,
		[]any{id, packID}, &data)
	return data, rowError(err, "inline pack", packID)
}

func (t codecommitTx) InsertPack(ctx context.Context, id repo.ID, gen int64, p repo.Pack) error {
	if p.IsInline() != (len(p.Inline) > 0) {
		return fmt.Errorf("insert pack %s: either a blob key or the bytes of the pack, not both or none", p.ID)
	}
	_, err := t.q.exec(ctx,
		`INSERT INTO pack (repo_id, pack_id, blob, sha256, size, objects, gen, created, data, bitmap, consolidated)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		id, p.ID, p.Key, p.SHA256, p.Size, p.Objects, gen, millis(p.Created), blobArg(p.Inline), p.Bitmap, p.Consolidated)
	return rowError(err, "pack", p.ID)
}
