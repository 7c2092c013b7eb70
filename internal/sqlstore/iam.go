package sqlstore

import (
	"context"
	"fmt"

	"github.com/refward/refward/internal/iam"
)

// IAM returns the store of the identity domain.
func (db *DB) IAM() iam.Store { return iamStore{db} }

// iamStore implements [iam.Store].
type iamStore struct{ db *DB }

// iamTx implements [iam.Tx] on one transaction.
type iamTx struct{ q querier }

// missing and duplicate say what was looked for, around the contract's errors.
func missing(err error, what, key string) error {
	if translated := translate(err, iam.ErrNotFound, nil); translated != nil {
		return fmt.Errorf("%s %s: %w", what, key, translated)
	}
	return nil
}

func duplicate(err error, what, key string) error {
	if translated := translate(err, nil, iam.ErrExists); translated != nil {
		return fmt.Errorf("%s %s: %w", what, key, translated)
	}
	return nil
}

// must turns a compare-and-swap that found no row into iam.ErrNotFound.
func must(changed bool, err error, what, key string) error {
	if err == nil && !changed {
		err = errNoRow
	}
	return missing(err, what, key)
}

func (s iamStore) View(ctx context.Context, f func(ctx context.Context, tx iam.Reader) error) error {
	return s.db.view(ctx, func(ctx context.Context, q querier) error { return f(ctx, iamTx{q}) })
}

// Update counts the generation up before f runs, which also makes the updates of one
// account run one after the other on an engine that has several writers.
func (s iamStore) Update(ctx context.Context, account string, f func(ctx context.Context, tx iam.Tx) error) error {
	return s.db.update(ctx, func(ctx context.Context, q querier) error {
		ok, err := q.swap(ctx, `UPDATE iam_account SET gen = gen + 1 WHERE account_id = $1`, account)
		if err := must(ok, err, "account", account); err != nil {
			return err
		}
		return f(ctx, iamTx{q})
	})
}

func (s iamStore) CreateAccount(ctx context.Context, a iam.Account) error {
	return s.db.update(ctx, func(ctx context.Context, q querier) error {
		_, err := q.exec(ctx, `INSERT INTO iam_account (account_id, gen, created) VALUES ($1, 0, $2)`, a.ID, millis(a.Created))
		return duplicate(err, "account", a.ID)
	})
}

func (s iamStore) Generation(ctx context.Context, account string) (gen int64, err error) {
	return s.db.generations.get(s.db.changes, account, func() (gen int64, err error) {
		err = s.db.once(ctx, func(ctx context.Context, q querier) (err error) {
			gen, err = iamTx{q}.Generation(ctx, account)
			return err
		})
		return gen, err
	})
}

func (t iamTx) Generation(ctx context.Context, account string) (gen int64, err error) {
	err = t.q.one(ctx, `SELECT gen FROM iam_account WHERE account_id = $1`, []any{account}, &gen)
	return gen, missing(err, "account", account)
}

func (t iamTx) Accounts(ctx context.Context) ([]iam.Account, error) {
	return collect(ctx, t.q, func(scan func(...any) error) (a iam.Account, err error) {
		var created int64
		err = scan(&a.ID, &created)
		a.Created = fromMillis(created)
		return a, err
	}, `SELECT account_id, created FROM iam_account ORDER BY account_id`)
}

// readOne reads the first row with the scan that listings use.
func readOne[T any](ctx context.Context, q querier, scan func(func(...any) error) (T, error), query string, args ...any) (T, error) {
	return scan(func(dest ...any) error { return q.one(ctx, query, args, dest...) })
}

// count reads the one number of a query.
func (t iamTx) count(ctx context.Context, query string, args ...any) (n int, err error) {
	err = t.q.one(ctx, query, args, &n)
	return n, err
}
