-- Git LFS: objects beside the packs, and locks. Both belong to one repository. Object IDs
-- are the 32 bytes of a SHA-256. Times are milliseconds since 1970.

-- +goose Up
CREATE TABLE lfs_object (
	repo_id TEXT    NOT NULL,
	oid     BLOB    NOT NULL,
	size    INTEGER NOT NULL,
	blob    TEXT    NOT NULL, -- key in the blob store
	created INTEGER NOT NULL,
	PRIMARY KEY (repo_id, oid)
) STRICT, WITHOUT ROWID;

CREATE TABLE lfs_lock (
	repo_id    TEXT    NOT NULL,
	path       TEXT    NOT NULL,
	lock_id    TEXT    NOT NULL,
	ref        BLOB    NOT NULL, -- the ref it was made for; empty where none was named
	owner_arn  TEXT    NOT NULL,
	owner_id   TEXT    NOT NULL, -- unique ID of the principal: its name may be given to another
	request_id TEXT    NOT NULL,
	created    INTEGER NOT NULL,
	PRIMARY KEY (repo_id, path)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX lfs_lock_id ON lfs_lock (repo_id, lock_id);

-- Blobs of repositories that were deleted, until they are removed.
CREATE TABLE lfs_garbage (
	blob    TEXT    NOT NULL PRIMARY KEY,
	dead_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What the planner is to assume, as in step 2.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
	('lfs_object', 'lfs_object', '10000000 10000 1'),
	('lfs_lock', 'lfs_lock', '100000 100 1'),
	('lfs_lock', 'lfs_lock_id', '100000 100 1');
ANALYZE sqlite_schema;

-- +goose Down
DROP TABLE lfs_garbage;
DROP TABLE lfs_lock;
DROP TABLE lfs_object;
