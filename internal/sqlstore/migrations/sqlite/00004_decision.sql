-- The decision log. Rows are only ever added. Each account's rows are a chain: the hash
-- of a row covers its entry, its place and the hash before it. The columns beside the
-- entry repeat parts of it to be found by, and must agree with it.

-- +goose Up
CREATE TABLE decision (
	account_id TEXT    NOT NULL,
	seq        INTEGER NOT NULL, -- counted up from 1 without a gap
	hash       BLOB    NOT NULL,
	at         INTEGER NOT NULL, -- milliseconds since 1970
	principal  TEXT    NOT NULL,
	action     TEXT    NOT NULL,
	outcome    TEXT    NOT NULL,
	entry      BLOB    NOT NULL, -- JSON
	PRIMARY KEY (account_id, seq)
) STRICT;
CREATE INDEX decision_time ON decision (account_id, at, seq);
CREATE INDEX decision_principal ON decision (account_id, principal, at, seq);
CREATE INDEX decision_action ON decision (account_id, action, at, seq);
CREATE INDEX decision_outcome ON decision (account_id, outcome, at, seq);

-- What the planner is to assume, as in step 2.
ANALYZE decision;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
	('decision', 'sqlite_autoindex_decision_1', '10000000 10000000 1'),
	('decision', 'decision_time', '10000000 10000000 2 1'),
	('decision', 'decision_principal', '10000000 10000000 100000 2 1'),
	('decision', 'decision_action', '10000000 10000000 300000 2 1'),
	('decision', 'decision_outcome', '10000000 10000000 3000000 2 1');
ANALYZE sqlite_schema;

-- +goose Down
DROP TABLE decision;
