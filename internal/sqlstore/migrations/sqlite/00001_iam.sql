-- The identity domain. Names are unique without regard to case, so each has a folded
-- copy; everything else compares byte by byte. Unique identifiers (AIDA…, AGPA…) are
-- never reused and join the tables. Times are milliseconds since 1970.

-- +goose Up
CREATE TABLE iam_account (
	account_id TEXT    NOT NULL PRIMARY KEY,
	gen        INTEGER NOT NULL, -- +1 in every transaction that changes anything below
	created    INTEGER NOT NULL
) STRICT;

CREATE TABLE iam_user (
	account_id TEXT    NOT NULL,
	user_id    TEXT    NOT NULL,
	name       TEXT    NOT NULL,
	folded     TEXT    NOT NULL,
	path       TEXT    NOT NULL,
	created    INTEGER NOT NULL,
	PRIMARY KEY (account_id, user_id)
) STRICT;
CREATE UNIQUE INDEX iam_user_folded ON iam_user (account_id, folded);

CREATE TABLE iam_user_tag (
	account_id TEXT NOT NULL,
	user_id    TEXT NOT NULL,
	folded     TEXT NOT NULL,
	key        TEXT NOT NULL,
	value      TEXT NOT NULL,
	PRIMARY KEY (account_id, user_id, folded)
) STRICT;

CREATE TABLE iam_group (
	account_id TEXT    NOT NULL,
	group_id   TEXT    NOT NULL,
	name       TEXT    NOT NULL,
	folded     TEXT    NOT NULL,
	path       TEXT    NOT NULL,
	created    INTEGER NOT NULL,
	PRIMARY KEY (account_id, group_id)
) STRICT;
CREATE UNIQUE INDEX iam_group_folded ON iam_group (account_id, folded);

CREATE TABLE iam_member (
	account_id TEXT NOT NULL,
	user_id    TEXT NOT NULL,
	group_id   TEXT NOT NULL,
	PRIMARY KEY (account_id, user_id, group_id)
) STRICT;
CREATE UNIQUE INDEX iam_member_group ON iam_member (account_id, group_id, user_id);

-- Inline policies; the owner is a user or a group.
CREATE TABLE iam_inline_policy (
	account_id TEXT NOT NULL,
	owner_id   TEXT NOT NULL,
	name       TEXT NOT NULL,
	document   TEXT NOT NULL, -- byte for byte as it was put
	PRIMARY KEY (account_id, owner_id, name)
) STRICT;

-- Access keys; those of the account's root have the account as their user.
CREATE TABLE iam_access_key (
	account_id TEXT    NOT NULL,
	key_id     TEXT    NOT NULL,
	user_id    TEXT    NOT NULL,
	active     INTEGER NOT NULL,
	sealed     BLOB    NOT NULL, -- the secret access key, which SigV4 needs in the clear
	created    INTEGER NOT NULL,
	PRIMARY KEY (account_id, key_id)
) STRICT;
CREATE UNIQUE INDEX iam_access_key_id ON iam_access_key (key_id);
CREATE INDEX iam_access_key_user ON iam_access_key (account_id, user_id);

CREATE TABLE iam_service_credential (
	account_id    TEXT    NOT NULL,
	credential_id TEXT    NOT NULL,
	user_id       TEXT    NOT NULL,
	service       TEXT    NOT NULL,
	user_name     TEXT    NOT NULL,
	hash          BLOB    NOT NULL,
	active        INTEGER NOT NULL,
	created       INTEGER NOT NULL,
	PRIMARY KEY (account_id, credential_id)
) STRICT;
CREATE UNIQUE INDEX iam_service_credential_name ON iam_service_credential (user_name);
CREATE INDEX iam_service_credential_user ON iam_service_credential (account_id, user_id);

-- +goose Down
DROP TABLE iam_service_credential;
DROP TABLE iam_access_key;
DROP TABLE iam_inline_policy;
DROP TABLE iam_member;
DROP TABLE iam_group;
DROP TABLE iam_user_tag;
DROP TABLE iam_user;
DROP TABLE iam_account;
