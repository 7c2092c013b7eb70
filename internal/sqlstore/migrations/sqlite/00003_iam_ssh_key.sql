-- SSH public keys of users, which Git over SSH knows them by.

-- +goose Up
CREATE TABLE iam_ssh_key (
	account_id TEXT    NOT NULL,
	key_id     TEXT    NOT NULL,
	user_id    TEXT    NOT NULL,
	public_key BLOB    NOT NULL, -- in the wire format of RFC 4253, section 6.6
	comment    TEXT    NOT NULL,
	active     INTEGER NOT NULL,
	uploaded   INTEGER NOT NULL,
	PRIMARY KEY (account_id, key_id)
) STRICT;
CREATE UNIQUE INDEX iam_ssh_key_id ON iam_ssh_key (key_id);
CREATE UNIQUE INDEX iam_ssh_key_user ON iam_ssh_key (account_id, user_id, public_key);

-- +goose Down
DROP TABLE iam_ssh_key;
