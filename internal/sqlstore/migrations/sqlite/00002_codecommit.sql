-- The domain of repositories. A repository's identifier is never reused and joins the
-- tables; its name may change. Ref names are bytes to Git, and are compared as such.
-- Object IDs are 20 bytes, or NULL for none. Times are milliseconds since 1970.

-- +goose Up
CREATE TABLE repository (
	repo_id     TEXT    NOT NULL PRIMARY KEY,
	account_id  TEXT    NOT NULL,
	name        TEXT    NOT NULL,
	description TEXT    NOT NULL,
	head        BLOB    NOT NULL, -- the default branch; empty until one was set
	gen         INTEGER NOT NULL, -- +1 in every transaction that changes refs or packs
	epoch       INTEGER NOT NULL, -- +1 only when objects may have been dropped
	kms_key_id  TEXT    NOT NULL,
	created     INTEGER NOT NULL,
	modified    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX repository_name ON repository (account_id, name);
CREATE INDEX repository_modified ON repository (account_id, modified, name);

CREATE TABLE ref (
	repo_id TEXT    NOT NULL,
	name    BLOB    NOT NULL,
	oid     BLOB,             -- NULL: deleted at gen, kept so that who knows an older one learns of it
	peeled  BLOB,
	gen     INTEGER NOT NULL, -- of the last change
	PRIMARY KEY (repo_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX ref_gen ON ref (repo_id, gen);

CREATE TABLE pack (
	repo_id TEXT    NOT NULL,
	pack_id TEXT    NOT NULL,
	blob    TEXT    NOT NULL, -- key in the blob store; empty where the pack is in data
	sha256  TEXT    NOT NULL,
	size    INTEGER NOT NULL,
	objects INTEGER NOT NULL,
	gen     INTEGER NOT NULL,
	created INTEGER NOT NULL,
	dead_at INTEGER,          -- NULL while the pack is part of the repository
	data    BLOB,             -- last, so that reading the rest does not touch it
	PRIMARY KEY (repo_id, pack_id)
) STRICT;

-- The reflog. It outlives its repository, as history.
CREATE TABLE ref_event (
	repo_id    TEXT    NOT NULL,
	gen        INTEGER NOT NULL,
	seq        INTEGER NOT NULL, -- order within the generation
	ref        BLOB    NOT NULL,
	old_oid    BLOB,
	new_oid    BLOB,
	peeled     BLOB,
	principal  TEXT    NOT NULL,
	operation  TEXT    NOT NULL,
	request_id TEXT    NOT NULL,
	at         INTEGER NOT NULL,
	PRIMARY KEY (repo_id, gen, seq)
) STRICT;
CREATE INDEX ref_event_ref ON ref_event (repo_id, ref, gen, seq);

-- The last pull request's number, so that none is given twice, also after a deletion.
CREATE TABLE pull_request_counter (
	account_id TEXT    NOT NULL PRIMARY KEY,
	last       INTEGER NOT NULL
) STRICT;

CREATE TABLE pull_request (
	account_id      TEXT    NOT NULL,
	pr_id           INTEGER NOT NULL,
	repo_id         TEXT    NOT NULL,
	title           TEXT    NOT NULL,
	description     TEXT    NOT NULL,
	has_description INTEGER NOT NULL,
	author_arn      TEXT    NOT NULL,
	source          BLOB    NOT NULL,
	destination     BLOB    NOT NULL,
	source_commit   BLOB,
	dest_commit     BLOB,
	merge_base      BLOB,
	closed          INTEGER NOT NULL,
	merged          INTEGER NOT NULL,
	merged_by       TEXT    NOT NULL,
	merge_commit    BLOB,
	merge_option    TEXT    NOT NULL,
	revision_id     TEXT    NOT NULL,
	token           TEXT,             -- NULL where none was given
	token_digest    TEXT    NOT NULL,
	created         INTEGER NOT NULL,
	last_activity   INTEGER NOT NULL,
	events          INTEGER NOT NULL, -- seq of the last event
	PRIMARY KEY (account_id, pr_id)
) STRICT;
CREATE UNIQUE INDEX pull_request_token ON pull_request (account_id, token);
CREATE INDEX pull_request_repo ON pull_request (repo_id, pr_id);
CREATE INDEX pull_request_status ON pull_request (repo_id, closed, pr_id);
CREATE INDEX pull_request_author ON pull_request (repo_id, author_arn, pr_id);
CREATE INDEX pull_request_source ON pull_request (repo_id, source) WHERE NOT closed;
CREATE INDEX pull_request_destination ON pull_request (repo_id, destination) WHERE NOT closed;

CREATE TABLE pull_request_event (
	account_id TEXT    NOT NULL,
	pr_id      INTEGER NOT NULL,
	seq        INTEGER NOT NULL,
	type       TEXT    NOT NULL,
	actor_arn  TEXT    NOT NULL,
	at         INTEGER NOT NULL,
	detail     BLOB,
	PRIMARY KEY (account_id, pr_id, seq)
) STRICT;

-- What the planner is to assume: without it SQLite takes every account and every
-- repository to have about ten rows, and walks the wrong index. Numbers are of rows in
-- all, and of rows that are alike in the first columns of the index.
ANALYZE repository;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
	('repository', 'sqlite_autoindex_repository_1', '100000 1'),
	('repository', 'repository_name', '100000 1000 1'),
	('repository', 'repository_modified', '100000 1000 2 1'),
	('ref', 'ref', '10000000 1000 1'),
	('ref', 'ref_gen', '10000000 1000 3'),
	('pack', 'sqlite_autoindex_pack_1', '1000000 50 1'),
	('ref_event', 'sqlite_autoindex_ref_event_1', '10000000 10000 2 1'),
	('ref_event', 'ref_event_ref', '10000000 10000 100 2 1'),
	('pull_request', 'sqlite_autoindex_pull_request_1', '1000000 100000 1'),
	('pull_request', 'pull_request_token', '1000000 100000 2'),
	('pull_request', 'pull_request_repo', '1000000 1000 1'),
	('pull_request', 'pull_request_status', '1000000 1000 700 1'),
	('pull_request', 'pull_request_author', '1000000 1000 50 1'),
	('pull_request', 'pull_request_source', '10000 10 2'),
	('pull_request', 'pull_request_destination', '10000 10 5'),
	('pull_request_event', 'sqlite_autoindex_pull_request_event_1', '10000000 1000000 10 1');
ANALYZE sqlite_schema; -- read them now

-- +goose Down
DROP TABLE pull_request_event;
DROP TABLE pull_request;
DROP TABLE pull_request_counter;
DROP TABLE ref_event;
DROP TABLE pack;
DROP TABLE ref;
DROP TABLE repository;
