-- What maintenance knows of packs. The columns come behind the pack's bytes, and are read
-- without touching them: the values 0 and 1 are in the head of a row.

-- +goose Up
ALTER TABLE pack ADD COLUMN bitmap INTEGER NOT NULL DEFAULT 0;       -- 1: a reachability bitmap is stored with it
ALTER TABLE pack ADD COLUMN consolidated INTEGER NOT NULL DEFAULT 0; -- 1: made of other packs, not pushed
CREATE INDEX pack_dead ON pack (dead_at, repo_id, pack_id) WHERE dead_at IS NOT NULL;

-- +goose Down
DROP INDEX pack_dead;
ALTER TABLE pack DROP COLUMN consolidated;
ALTER TABLE pack DROP COLUMN bitmap;
