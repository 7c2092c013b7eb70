package sqlstore

import (
	"context"

	"github.com/refward/refward/internal/iam"
)

const groupColumns = `g.account_id, g.group_id, g.name, g.path, g.created`

func scanGroup(scan func(...any) error) (g iam.Group, err error) {
	var created int64
	err = scan(&g.Account, &g.ID, &g.Name, &g.Path, &created)
	g.Created = fromMillis(created)
	return g, err
}

func (t iamTx) Group(ctx context.Context, account, name string) (iam.Group, error) {
	g, err := readOne(ctx, t.q, scanGroup,
		`SELECT `+groupColumns+` FROM iam_group g WHERE g.account_id = $1 AND g.folded = $2 AND g.name = $3`,
		account, iam.Fold(name), name)
	return g, missing(err, "group", name)
}

func (t iamTx) Groups(ctx context.Context, account, pathPrefix string, page iam.Page) ([]iam.Group, error) {
	return collect(ctx, t.q, scanGroup,
		`SELECT `+groupColumns+` FROM iam_group g
		WHERE g.account_id = $1 AND g.folded > $2 AND substr(g.path, 1, length($3)) = $3
		ORDER BY g.folded LIMIT $4`,
		account, iam.Fold(page.After), pathPrefix, page.Limit)
}

func (t iamTx) CountGroups(ctx context.Context, account string) (int, error) {
	return t.count(ctx, `SELECT count(*) FROM iam_group WHERE account_id = $1`, account)
}

func (t iamTx) InsertGroup(ctx context.Context, g iam.Group) error {
	_, err := t.q.exec(ctx,
		`INSERT INTO iam_group (account_id, group_id, name, folded, path, created) VALUES ($1, $2, $3, $4, $5, $6)`,
		g.Account, g.ID, g.Name, iam.Fold(g.Name), g.Path, millis(g.Created))
	return duplicate(err, "group", g.Name)
}

func (t iamTx) UpdateGroup(ctx context.Context, g iam.Group) error {
	ok, err := t.q.swap(ctx,
		`UPDATE iam_group SET name = $3, folded = $4, path = $5 WHERE account_id = $1 AND group_id = $2`,
		g.Account, g.ID, g.Name, iam.Fold(g.Name), g.Path)
	return must(ok, translate(err, nil, iam.ErrExists), "group", g.Name)
}

func (t iamTx) DeleteGroup(ctx context.Context, account, id string) error {
	ok, err := t.q.swap(ctx, `DELETE FROM iam_group WHERE account_id = $1 AND group_id = $2`, account, id)
	return must(ok, err, "group", id)
}

func (t iamTx) Members(ctx context.Context, account, groupID string, page iam.Page) ([]iam.User, error) {
	return collect(ctx, t.q, scanUser,
		`SELECT `+userColumns+` FROM iam_member m
		JOIN iam_user u ON u.account_id = m.account_id AND u.user_id = m.user_id
		WHERE m.account_id = $1 AND m.group_id = $2 AND u.folded > $3
		ORDER BY u.folded LIMIT $4`,
		account, groupID, iam.Fold(page.After), page.Limit)
}

func (t iamTx) GroupsOf(ctx context.Context, account, userID string, page iam.Page) ([]iam.Group, error) {
	return collect(ctx, t.q, scanGroup,
		`SELECT `+groupColumns+` FROM iam_member m
		JOIN iam_group g ON g.account_id = m.account_id AND g.group_id = m.group_id
		WHERE m.account_id = $1 AND m.user_id = $2 AND g.folded > $3
		ORDER BY g.folded LIMIT $4`,
		account, userID, iam.Fold(page.After), page.Limit)
}

func (t iamTx) InsertMember(ctx context.Context, account, groupID, userID string) error {
	_, err := t.q.exec(ctx, `INSERT INTO iam_member (account_id, user_id, group_id) VALUES ($1, $2, $3)`,
		account, userID, groupID)
	return duplicate(err, "member", userID)
}

func (t iamTx) DeleteMember(ctx context.Context, account, groupID, userID string) error {
	ok, err := t.q.swap(ctx, `DELETE FROM iam_member WHERE account_id = $1 AND user_id = $2 AND group_id = $3`,
		account, userID, groupID)
	return must(ok, err, "member", userID)
}

func scanInlinePolicy(scan func(...any) error) (p iam.InlinePolicy, err error) {
	return p, scan(&p.Name, &p.Document)
}

func (t iamTx) InlinePolicies(ctx context.Context, account, ownerID string, page iam.Page) ([]iam.InlinePolicy, error) {
	return collect(ctx, t.q, scanInlinePolicy,
		`SELECT name, document FROM iam_inline_policy
		WHERE account_id = $1 AND owner_id = $2 AND name > $3 ORDER BY name LIMIT $4`,
		account, ownerID, page.After, page.Limit)
}

func (t iamTx) InlinePolicy(ctx context.Context, account, ownerID, name string) (iam.InlinePolicy, error) {
	p, err := readOne(ctx, t.q, scanInlinePolicy,
		`SELECT name, document FROM iam_inline_policy WHERE account_id = $1 AND owner_id = $2 AND name = $3`,
		account, ownerID, name)
	return p, missing(err, "inline policy", name)
}

func (t iamTx) PutInlinePolicy(ctx context.Context, account, ownerID string, p iam.InlinePolicy) error {
	_, err := t.q.exec(ctx,
		`INSERT INTO iam_inline_policy (account_id, owner_id, name, document) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account_id, owner_id, name) DO UPDATE SET document = excluded.document`,
		account, ownerID, p.Name, p.Document)
	return err
}

func (t iamTx) DeleteInlinePolicy(ctx context.Context, account, ownerID, name string) error {
	ok, err := t.q.swap(ctx, `DELETE FROM iam_inline_policy WHERE account_id = $1 AND owner_id = $2 AND name = $3`,
		account, ownerID, name)
	return must(ok, err, "inline policy", name)
}
