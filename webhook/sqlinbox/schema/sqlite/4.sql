-- Hookhouse inbox, schema 4, SQLite 3.38 or later.

-- A program of version 3 that still runs would claim what is paused. It cannot: its claims
-- name the column.
ALTER TABLE hookhouse_deliveries RENAME COLUMN crashed_runs TO crashes;

-- Live deliveries are claimed before replayed ones.
ALTER TABLE hookhouse_deliveries ADD COLUMN replayed INTEGER NOT NULL DEFAULT 0; -- 1: this run is a replay
DROP INDEX hookhouse_due;
CREATE INDEX hookhouse_due ON hookhouse_deliveries (type, replayed, due_at, id) WHERE state = 'waiting';

-- Finds what a delivery supersedes, and a newer delivery of a burst, among blocked ones
-- of other types: bursts are by source, ordering key and type.
CREATE INDEX hookhouse_coalescing ON hookhouse_deliveries (source, ordering_key, type, coalesce_quiet_us, id) WHERE state = 'blocked';

-- The types that no worker claims.
CREATE TABLE hookhouse_pauses (
  type      TEXT NOT NULL PRIMARY KEY,      -- empty: all types
  paused_at INTEGER NOT NULL,
  who       TEXT NOT NULL,
  why       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

UPDATE hookhouse_schema SET version = 4;
