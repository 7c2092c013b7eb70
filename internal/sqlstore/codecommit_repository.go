package sqlstore

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/repo"
)

const repositoryColumns = `account_id, repo_id, name, description, head, gen, epoch, kms_key_id, created, modified`

func scanRepository(scan func(...any) error) (r codecommit.Repository, err error) {
	var created, modified int64
	err = scan(&r.Account, &r.ID, &r.Name, &r.Description, &r.Head, &r.Gen, &r.Epoch, &r.KMSKeyID, &created, &modified)
	r.Created, r.Modified = fromMillis(created), fromMillis(modified)
	return r, err
}

func (t codecommitTx) Repository(ctx context.Context, account, name string) (codecommit.Repository, error) {
	r, err := readOne(ctx, t.q, scanRepository,
		`SELECT `+repositoryColumns+` FROM repository WHERE account_id = $1 AND name = $2`, account, name)
	return r, rowError(err, "repository", name)
}

func (t codecommitTx) RepositoryByID(ctx context.Context, id repo.ID) (codecommit.Repository, error) {
	r, err := readOne(ctx, t.q, scanRepository,
		`SELECT `+repositoryColumns+` FROM repository WHERE repo_id = $1`, id)
	return r, rowError(err, "repository", id)
}

func (t codecommitTx) CountRepositories(ctx context.Context, account string) (n int, err error) {
	err = t.q.one(ctx, `SELECT count(*) FROM repository WHERE account_id = $1`, []any{account}, &n)
	return n, err
}

// afterEveryName is greater, byte by byte, than every name of a repository.
const afterEveryName = "\U0010FFFF"

const (
	selectRepositories = `SELECT ` + repositoryColumns + ` FROM repository WHERE account_id = $1`

	repositoriesByName       = selectRepositories + ` AND name > $2 ORDER BY name LIMIT $3`
	repositoriesByNameDown   = selectRepositories + ` AND name < $2 ORDER BY name DESC LIMIT $3`
	repositoriesByChange     = selectRepositories + ` AND (modified, name) > ($2, $3) ORDER BY modified, name LIMIT $4`
	repositoriesByChangeDown = selectRepositories + ` AND (modified, name) < ($2, $3) ORDER BY modified DESC, name DESC LIMIT $4`
)

func (t codecommitTx) Repositories(ctx context.Context, account string, order codecommit.RepositoryOrder, page codecommit.Page) ([]codecommit.Repository, error) {
	modified, name, err := repositoryCursor(order, page.After)
	if err != nil {
		return nil, err
	}
	switch {
	case order.ByModified && order.Descending:
		return collect(ctx, t.q, scanRepository, repositoriesByChangeDown, account, modified, name, page.Limit)
	case order.ByModified:
		return collect(ctx, t.q, scanRepository, repositoriesByChange, account, modified, name, page.Limit)
	case order.Descending:
		return collect(ctx, t.q, scanRepository, repositoriesByNameDown, account, name, page.Limit)
	default:
		return collect(ctx, t.q, scanRepository, repositoriesByName, account, name, page.Limit)
	}
}

// repositoryCursor reads a cursor; nothing is the place before the first row.
func repositoryCursor(order codecommit.RepositoryOrder, after string) (modified int64, name string, err error) {
	switch {
	case after == "" && order.Descending:
		return math.MaxInt64, afterEveryName, nil
	case after == "":
		return math.MinInt64, "", nil
	}
	at, name, err := codecommit.ParseRepositoryCursor(order, after)
	if err != nil {
		return 0, "", fmt.Errorf("list repositories: %w", err)
	}
	return millis(at), name, nil
}

func (t codecommitTx) InsertRepository(ctx context.Context, r codecommit.Repository) error {
	_, err := t.q.exec(ctx,
		`INSERT INTO repository (account_id, repo_id, name, description, head, gen, epoch, kms_key_id, created, modified)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		r.Account, r.ID, r.Name, r.Description, refArg(r.Head), r.Gen, r.Epoch, r.KMSKeyID, millis(r.Created), millis(r.Modified))
	return rowError(err, "repository", r.Name)
}

func (t codecommitTx) UpdateRepository(ctx context.Context, r codecommit.Repository) error {
	ok, err := t.q.swap(ctx,
		`UPDATE repository SET name = $2, description = $3, head = $4, kms_key_id = $5, modified = $6 WHERE repo_id = $1`,
		r.ID, r.Name, r.Description, refArg(r.Head), r.KMSKeyID, millis(r.Modified))
	return rowError(foundOne(ok, err), "repository", r.Name)
}

func (t codecommitTx) DeleteRepository(ctx context.Context, id repo.ID, at time.Time) error {
	var account string
	err := t.q.one(ctx, `DELETE FROM repository WHERE repo_id = $1 RETURNING account_id`, []any{id}, &account)
	if err != nil {
		return rowError(err, "repository", id)
	}
	for _, step := range []struct {
		query string
		args  []any
	}{
		{`DELETE FROM ref WHERE repo_id = $1`, []any{id}},
		{`UPDATE pack SET dead_at = $2 WHERE repo_id = $1 AND dead_at IS NULL`, []any{id, millis(at)}},
		{`DELETE FROM pull_request_event WHERE account_id = $1
			AND pr_id IN (SELECT pr_id FROM pull_request WHERE repo_id = $2)`, []any{account, id}},
		{`DELETE FROM pull_request WHERE repo_id = $1`, []any{id}},
		{`INSERT INTO lfs_garbage (blob, dead_at) SELECT blob, $2 FROM lfs_object WHERE repo_id = $1`, []any{id, millis(at)}},
		{`DELETE FROM lfs_object WHERE repo_id = $1`, []any{id}},
		{`DELETE FROM lfs_lock WHERE repo_id = $1`, []any{id}},
	} {
		if _, err := t.q.exec(ctx, step.query, step.args...); err != nil {
			return rowError(err, "delete what belongs to repository", id)
		}
	}
	return nil
}

func (t codecommitTx) Advance(ctx context.Context, id repo.ID, epoch int64, at time.Time) (gen int64, err error) {
	err = t.q.one(ctx,
		`UPDATE repository SET gen = gen + 1, modified = $3 WHERE repo_id = $1 AND epoch = $2 RETURNING gen`,
		[]any{id, epoch, millis(at)}, &gen)
	if translated := translate(err, codecommit.ErrStale, nil); translated != nil {
		return 0, fmt.Errorf("advance repository %s at epoch %d: %w", id, epoch, translated)
	}
	return gen, nil
}
