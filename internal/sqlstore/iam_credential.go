package sqlstore

import (
	"bytes"
	"context"

	"github.com/refward/refward/internal/iam"
)

const keyColumns = `k.account_id, k.key_id, k.user_id, k.active, k.sealed, k.created`

func scanKey(scan func(...any) error) (k iam.AccessKey, err error) {
	var created int64
	err = scan(&k.Account, &k.ID, &k.UserID, &k.Active, &k.Sealed, &created)
	k.Created = fromMillis(created)
	return k, err
}

func (s iamStore) AccessKeyHolder(ctx context.Context, keyID string) (k iam.AccessKey, u iam.User, err error) {
	err = s.db.once(ctx, func(ctx context.Context, q querier) error {
		u, err = scanUser(func(user ...any) error {
			k, err = scanKey(func(key ...any) error {
				return q.one(ctx, `SELECT `+keyColumns+`,
					coalesce(u.account_id, ''), coalesce(u.user_id, ''), coalesce(u.name, ''), coalesce(u.path, ''), coalesce(u.created, 0)
					FROM iam_access_key k
					LEFT JOIN iam_user u ON u.account_id = k.account_id AND u.user_id = k.user_id
					WHERE k.key_id = $1`, []any{keyID}, append(key, user...)...)
			})
			return err
		})
		return missing(err, "access key", keyID)
	})
	return k, u, err
}

func (t iamTx) AccessKeys(ctx context.Context, account, userID string, page iam.Page) ([]iam.AccessKey, error) {
	return collect(ctx, t.q, scanKey,
		`SELECT `+keyColumns+` FROM iam_access_key k
		WHERE k.account_id = $1 AND k.user_id = $2 AND k.key_id > $3 ORDER BY k.key_id LIMIT $4`,
		account, userID, page.After, page.Limit)
}

func (t iamTx) AccessKey(ctx context.Context, account, keyID string) (iam.AccessKey, error) {
	k, err := readOne(ctx, t.q, scanKey,
		`SELECT `+keyColumns+` FROM iam_access_key k WHERE k.account_id = $1 AND k.key_id = $2`, account, keyID)
	return k, missing(err, "access key", keyID)
}

func (t iamTx) InsertAccessKey(ctx context.Context, k iam.AccessKey) error {
	_, err := t.q.exec(ctx,
		`INSERT INTO iam_access_key (account_id, key_id, user_id, active, sealed, created) VALUES ($1, $2, $3, $4, $5, $6)`,
		k.Account, k.ID, k.UserID, k.Active, k.Sealed, millis(k.Created))
	return duplicate(err, "access key", k.ID)
}

func (t iamTx) UpdateAccessKey(ctx context.Context, k iam.AccessKey) error {
	ok, err := t.q.swap(ctx, `UPDATE iam_access_key SET active = $3, sealed = $4 WHERE account_id = $1 AND key_id = $2`,
		k.Account, k.ID, k.Active, k.Sealed)
	return must(ok, err, "access key", k.ID)
}

func (t iamTx) DeleteAccessKey(ctx context.Context, account, id string) error {
	ok, err := t.q.swap(ctx, `DELETE FROM iam_access_key WHERE account_id = $1 AND key_id = $2`, account, id)
	return must(ok, err, "access key", id)
}

const credentialColumns = `c.account_id, c.credential_id, c.user_id, c.service, c.user_name, c.hash, c.active, c.created`

func scanCredential(scan func(...any) error) (c iam.ServiceCredential, err error) {
	var created int64
	err = scan(&c.Account, &c.ID, &c.UserID, &c.Service, &c.UserName, &c.Hash, &c.Active, &created)
	c.Created = fromMillis(created)
	return c, err
}

// credentialHolder is a service-specific credential with its user.
type credentialHolder struct {
	credential iam.ServiceCredential
	user       iam.User
}

func (s iamStore) ServiceCredentialHolder(ctx context.Context, userName string) (iam.ServiceCredential, iam.User, error) {
	h, err := s.db.credentials.get(s.db.changes, userName, func() (h credentialHolder, err error) {
		h.credential, h.user, err = s.readCredentialHolder(ctx, userName)
		return h, err
	})
	h.credential.Hash = bytes.Clone(h.credential.Hash)
	return h.credential, h.user, err
}

func (s iamStore) readCredentialHolder(ctx context.Context, userName string) (c iam.ServiceCredential, u iam.User, err error) {
	err = s.db.once(ctx, func(ctx context.Context, q querier) error {
		u, err = scanUser(func(user ...any) error {
			c, err = scanCredential(func(credential ...any) error {
				return q.one(ctx, `SELECT `+credentialColumns+`, `+userColumns+` FROM iam_service_credential c
					JOIN iam_user u ON u.account_id = c.account_id AND u.user_id = c.user_id
					WHERE c.user_name = $1`, []any{userName}, append(credential, user...)...)
			})
			return err
		})
		return missing(err, "service-specific credential", userName)
	})
	return c, u, err
}

func (t iamTx) ServiceCredentials(ctx context.Context, account, userID, service string, page iam.Page) ([]iam.ServiceCredential, error) {
	return collect(ctx, t.q, scanCredential,
		`SELECT `+credentialColumns+` FROM iam_service_credential c
		WHERE c.account_id = $1 AND ($2 = '' OR c.user_id = $2) AND ($3 = '' OR c.service = $3) AND c.credential_id > $4
		ORDER BY c.credential_id LIMIT $5`,
		account, userID, service, page.After, page.Limit)
}

func (t iamTx) ServiceCredential(ctx context.Context, account, id string) (iam.ServiceCredential, error) {
	c, err := readOne(ctx, t.q, scanCredential,
		`SELECT `+credentialColumns+` FROM iam_service_credential c WHERE c.account_id = $1 AND c.credential_id = $2`,
		account, id)
	return c, missing(err, "service-specific credential", id)
}

func (t iamTx) HasServiceUserName(ctx context.Context, userName string) (bool, error) {
	n, err := t.count(ctx, `SELECT count(*) FROM iam_service_credential WHERE user_name = $1`, userName)
	return n > 0, err
}

func (t iamTx) InsertServiceCredential(ctx context.Context, c iam.ServiceCredential) error {
	_, err := t.q.exec(ctx,
		`INSERT INTO iam_service_credential (account_id, credential_id, user_id, service, user_name, hash, active, created)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		c.Account, c.ID, c.UserID, c.Service, c.UserName, c.Hash, c.Active, millis(c.Created))
	return duplicate(err, "service-specific credential", c.UserName)
}

func (t iamTx) UpdateServiceCredential(ctx context.Context, c iam.ServiceCredential) error {
	ok, err := t.q.swap(ctx,
		`UPDATE iam_service_credential SET active = $3, hash = $4 WHERE account_id = $1 AND credential_id = $2`,
		c.Account, c.ID, c.Active, c.Hash)
	return must(ok, err, "service-specific credential", c.ID)
}

func (t iamTx) DeleteServiceCredential(ctx context.Context, account, id string) error {
	ok, err := t.q.swap(ctx, `DELETE FROM iam_service_credential WHERE account_id = $1 AND credential_id = $2`, account, id)
	return must(ok, err, "service-specific credential", id)
}
