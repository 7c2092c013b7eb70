package sqlstore

import (
	"context"
	"fmt"

	"github.com/refward/refward/internal/codecommit"
	"github.com/refward/refward/internal/git/oid"
	"github.com/refward/refward/internal/git/refname"
	"github.com/refward/refward/internal/repo"
)

// CodeCommit returns the store of the domain of repositories.
func (db *DB) CodeCommit() codecommit.Store { return codecommitStore{db} }

// Packs returns the reader of the packs that are kept in the database.
func (db *DB) Packs() repo.PackReader { return codecommitStore{db} }

// codecommitStore implements [codecommit.Store] and [repo.PackReader].
type codecommitStore struct{ db *DB }

// codecommitTx implements [codecommit.Tx] on one transaction.
type codecommitTx struct{ q querier }

func (s codecommitStore) View(ctx context.Context, f func(ctx context.Context, tx codecommit.Reader) error) error {
	return s.db.view(ctx, func(ctx context.Context, q querier) error { return f(ctx, codecommitTx{q}) })
}

func (s codecommitStore) Update(ctx context.Context, f func(ctx context.Context, tx codecommit.Tx) error) error {
	return s.db.update(ctx, func(ctx context.Context, q querier) error { return f(ctx, codecommitTx{q}) })
}

// repositoryName is what a repository is asked for by.
type repositoryName struct{ account, name string }

// Repository implements [codecommit.Store].
func (s codecommitStore) Repository(ctx context.Context, account, name string) (codecommit.Repository, error) {
	return s.db.repositories.get(s.db.changes, repositoryName{account, name}, func() (r codecommit.Repository, err error) {
		err = s.db.once(ctx, func(ctx context.Context, q querier) (err error) {
			r, err = codecommitTx{q}.Repository(ctx, account, name)
			return err
		})
		return r, err
	})
}

// PackData implements [repo.PackReader]: one statement, outside a transaction, because a
// pack never changes.
func (s codecommitStore) PackData(ctx context.Context, id repo.ID, packID string) (data []byte, err error) {
	err = s.db.once(ctx, func(ctx context.Context, q querier) (err error) {
		data, err = codecommitTx{q}.PackData(ctx, id, packID)
		return err
	})
	return data, err
}

// rowError says what was looked for, around the errors of the domain's contract.
func rowError(err error, what string, key any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %v: %w", what, key, translate(err, codecommit.ErrNotFound, codecommit.ErrExists))
}

// foundOne turns a statement for one row that found none into errNoRow.
func foundOne(changed bool, err error) error {
	if err == nil && !changed {
		return errNoRow
	}
	return err
}

// oidArg is how an object ID is stored: 20 bytes, and NULL for none.
func oidArg(id oid.ID) any {
	if id.IsZero() {
		return nil
	}
	return id[:]
}

// oidColumn reads what oidArg stored. It saves the copy that database/sql makes for
// other types, once for each ref of a repository.
type oidColumn struct{ to *oid.ID }

// Scan implements [database/sql.Scanner].
func (c oidColumn) Scan(src any) error {
	switch b := src.(type) {
	case nil:
		*c.to = oid.Zero
		return nil
	case []byte:
		if len(b) == oid.Size {
			*c.to = oid.ID(b)
			return nil
		}
	}
	return fmt.Errorf("an object ID is stored as %v", src)
}

// refArg is how a ref name is stored: its bytes.
func refArg(n refname.Name) []byte { return []byte(n) }

// blobArg is how bytes that may be missing are stored: NULL for none.
func blobArg(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}
