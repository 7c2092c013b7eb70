package sqlstore

import (
	"bytes"
	"context"

	"github.com/refward/refward/internal/iam"
)

const sshKeyColumns = `k.account_id, k.key_id, k.user_id, k.public_key, k.comment, k.active, k.uploaded`

func scanSSHKey(scan func(...any) error) (k iam.SSHPublicKey, err error) {
	var uploaded int64
	err = scan(&k.Account, &k.ID, &k.UserID, &k.Wire, &k.Comment, &k.Active, &uploaded)
	k.Uploaded = fromMillis(uploaded)
	return k, err
}

// sshKeyHolder is an SSH public key with its user.
type sshKeyHolder struct {
	key  iam.SSHPublicKey
	user iam.User
}

func (s iamStore) SSHPublicKeyHolder(ctx context.Context, keyID string) (iam.SSHPublicKey, iam.User, error) {
	h, err := s.db.sshKeys.get(s.db.changes, keyID, func() (h sshKeyHolder, err error) {
		h.key, h.user, err = s.readSSHKeyHolder(ctx, keyID)
		return h, err
	})
	h.key.Wire = bytes.Clone(h.key.Wire)
	return h.key, h.user, err
}

func (s iamStore) readSSHKeyHolder(ctx context.Context, keyID string) (k iam.SSHPublicKey, u iam.User, err error) {
	err = s.db.once(ctx, func(ctx context.Context, q querier) error {
		u, err = scanUser(func(user ...any) error {
			k, err = scanSSHKey(func(key ...any) error {
				return q.one(ctx, `SELECT `+sshKeyColumns+`, `+userColumns+` FROM iam_ssh_key k
					JOIN iam_user u ON u.account_id = k.account_id AND u.user_id = k.user_id
					WHERE k.key_id = $1`, []any{keyID}, append(key, user...)...)
			})
			return err
		})
		return missing(err, "SSH public key", keyID)
	})
	return k, u, err
}

func (t iamTx) SSHPublicKeys(ctx context.Context, account, userID string, page iam.Page) ([]iam.SSHPublicKey, error) {
	return collect(ctx, t.q, scanSSHKey,
		`SELECT `+sshKeyColumns+` FROM iam_ssh_key k
		WHERE k.account_id = $1 AND k.user_id = $2 AND k.key_id > $3 ORDER BY k.key_id LIMIT $4`,
		account, userID, page.After, page.Limit)
}

func (t iamTx) SSHPublicKey(ctx context.Context, account, id string) (iam.SSHPublicKey, error) {
	k, err := readOne(ctx, t.q, scanSSHKey,
		`SELECT `+sshKeyColumns+` FROM iam_ssh_key k WHERE k.account_id = $1 AND k.key_id = $2`, account, id)
	return k, missing(err, "SSH public key", id)
}

func (t iamTx) InsertSSHPublicKey(ctx context.Context, k iam.SSHPublicKey) error {
	_, err := t.q.exec(ctx,
		`INSERT INTO iam_ssh_key (account_id, key_id, user_id, public_key, comment, active, uploaded)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		k.Account, k.ID, k.UserID, k.Wire, k.Comment, k.Active, millis(k.Uploaded))
	return duplicate(err, "SSH public key", k.ID)
}

func (t iamTx) UpdateSSHPublicKey(ctx context.Context, k iam.SSHPublicKey) error {
	ok, err := t.q.swap(ctx, `UPDATE iam_ssh_key SET active = $3 WHERE account_id = $1 AND key_id = $2`,
		k.Account, k.ID, k.Active)
	return must(ok, err, "SSH public key", k.ID)
}

func (t iamTx) DeleteSSHPublicKey(ctx context.Context, account, id string) error {
	ok, err := t.q.swap(ctx, `DELETE FROM iam_ssh_key WHERE account_id = $1 AND key_id = $2`, account, id)
	return must(ok, err, "SSH public key", id)
}
