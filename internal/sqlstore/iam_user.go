package sqlstore

import (
	"context"

	"github.com/refward/refward/internal/iam"
)

const userColumns = `u.account_id, u.user_id, u.name, u.path, u.created`

func scanUser(scan func(...any) error) (u iam.User, err error) {
	var created int64
	err = scan(&u.Account, &u.ID, &u.Name, &u.Path, &created)
	u.Created = fromMillis(created)
	return u, err
}

func (t iamTx) User(ctx context.Context, account, name string) (iam.User, error) {
	// The folded name finds the row by its index; the name itself must be the same.
	u, err := readOne(ctx, t.q, scanUser,
		`SELECT `+userColumns+` FROM iam_user u WHERE u.account_id = $1 AND u.folded = $2 AND u.name = $3`,
		account, iam.Fold(name), name)
	return u, missing(err, "user", name)
}

func (t iamTx) UserByID(ctx context.Context, account, id string) (iam.User, error) {
	u, err := readOne(ctx, t.q, scanUser,
		`SELECT `+userColumns+` FROM iam_user u WHERE u.account_id = $1 AND u.user_id = $2`, account, id)
	return u, missing(err, "user", id)
}

func (t iamTx) Users(ctx context.Context, account, pathPrefix string, page iam.Page) ([]iam.User, error) {
	return collect(ctx, t.q, scanUser,
		`SELECT `+userColumns+` FROM iam_user u
		WHERE u.account_id = $1 AND u.folded > $2 AND substr(u.path, 1, length($3)) = $3
		ORDER BY u.folded LIMIT $4`,
		account, iam.Fold(page.After), pathPrefix, page.Limit)
}

func (t iamTx) CountUsers(ctx context.Context, account string) (int, error) {
	return t.count(ctx, `SELECT count(*) FROM iam_user WHERE account_id = $1`, account)
}

func (t iamTx) InsertUser(ctx context.Context, u iam.User) error {
	_, err := t.q.exec(ctx,
		`INSERT INTO iam_user (account_id, user_id, name, folded, path, created) VALUES ($1, $2, $3, $4, $5, $6)`,
		u.Account, u.ID, u.Name, iam.Fold(u.Name), u.Path, millis(u.Created))
	return duplicate(err, "user", u.Name)
}

func (t iamTx) UpdateUser(ctx context.Context, u iam.User) error {
	ok, err := t.q.swap(ctx,
		`UPDATE iam_user SET name = $3, folded = $4, path = $5 WHERE account_id = $1 AND user_id = $2`,
		u.Account, u.ID, u.Name, iam.Fold(u.Name), u.Path)
	return must(ok, translate(err, nil, iam.ErrExists), "user", u.Name)
}

func (t iamTx) DeleteUser(ctx context.Context, account, id string) error {
	ok, err := t.q.swap(ctx, `DELETE FROM iam_user WHERE account_id = $1 AND user_id = $2`, account, id)
	return must(ok, err, "user", id)
}

func (t iamTx) Tags(ctx context.Context, account, userID string, page iam.Page) ([]iam.Tag, error) {
	return collect(ctx, t.q, func(scan func(...any) error) (tag iam.Tag, err error) {
		return tag, scan(&tag.Key, &tag.Value)
	}, `SELECT key, value FROM iam_user_tag
		WHERE account_id = $1 AND user_id = $2 AND folded > $3 ORDER BY folded LIMIT $4`,
		account, userID, iam.Fold(page.After), page.Limit)
}

func (t iamTx) PutTag(ctx context.Context, account, userID string, tag iam.Tag) error {
	_, err := t.q.exec(ctx,
		`INSERT INTO iam_user_tag (account_id, user_id, folded, key, value) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (account_id, user_id, folded) DO UPDATE SET key = excluded.key, value = excluded.value`,
		account, userID, iam.Fold(tag.Key), tag.Key, tag.Value)
	return err
}

func (t iamTx) DeleteTag(ctx context.Context, account, userID, key string) error {
	ok, err := t.q.swap(ctx, `DELETE FROM iam_user_tag WHERE account_id = $1 AND user_id = $2 AND folded = $3`,
		account, userID, iam.Fold(key))
	return must(ok, err, "tag", key)
}
