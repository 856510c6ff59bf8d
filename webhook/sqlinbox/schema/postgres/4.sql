-- Hookhouse inbox, schema 4, PostgreSQL 13 or later.

-- Live deliveries are claimed before replayed ones.
ALTER TABLE hookhouse_deliveries ADD COLUMN replayed integer NOT NULL DEFAULT 0; -- 1: this run is a replay
DROP INDEX hookhouse_due;
CREATE INDEX hookhouse_due ON hookhouse_deliveries (type, replayed, due_at, id) WHERE state = 'waiting';

-- Finds a newer delivery of a burst: bursts are by source, ordering key and type.
CREATE INDEX hookhouse_coalescing ON hookhouse_deliveries (source, ordering_key, type, id) WHERE state = 'blocked' AND coalesce_quiet_us > 0;

-- The types that no worker claims.
CREATE TABLE hookhouse_pauses (
  type      text COLLATE "C" PRIMARY KEY,   -- empty: all types
  paused_at bigint NOT NULL,
  who       text NOT NULL,
  why       text NOT NULL
);

UPDATE hookhouse_schema SET version = 4;
