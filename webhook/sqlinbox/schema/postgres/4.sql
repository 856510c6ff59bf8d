-- Hookhouse inbox, schema 4, PostgreSQL 13 or later.

-- A program of version 3 that still runs would claim what is paused. It cannot: its claims
-- name the column.
ALTER TABLE hookhouse_deliveries RENAME COLUMN crashed_runs TO crashes;

-- Live deliveries are claimed before replayed ones.
ALTER TABLE hookhouse_deliveries ADD COLUMN replayed integer NOT NULL DEFAULT 0; -- 1: this run is a replay
DROP INDEX hookhouse_due;
CREATE INDEX hookhouse_due ON hookhouse_deliveries (type, replayed, due_at, id) WHERE state = 'waiting';

-- Finds what a delivery supersedes, and a newer delivery of a burst, among blocked ones
-- of other types: bursts are by source, ordering key and type.
CREATE INDEX hookhouse_coalescing ON hookhouse_deliveries (source, ordering_key, type, coalesce_quiet_us, id) WHERE state = 'blocked';

-- The types that no worker claims.
CREATE TABLE hookhouse_pauses (
  type      text COLLATE "C" PRIMARY KEY,   -- empty: all types
  paused_at bigint NOT NULL,
  who       text NOT NULL,
  why       text NOT NULL
);

UPDATE hookhouse_schema SET version = 4;
