-- Hookhouse inbox, schema 1, SQLite 3.38 or later.
-- Times are microseconds since 1970 UTC by the clock of the program.

CREATE TABLE hookhouse_schema (
  version INTEGER NOT NULL,
  pinged  INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One row for each delivery, without its body so that settling rewrites little.
CREATE TABLE hookhouse_deliveries (
  id        INTEGER PRIMARY KEY,          -- order of acknowledgement; a later run has a new one
  origin    INTEGER,                      -- the id of the first run, where this is a later one
  uid       TEXT    NOT NULL UNIQUE,
  source    TEXT    NOT NULL,
  sender_id TEXT    NOT NULL,             -- the sender's own id, may be empty
  type      TEXT    NOT NULL,
  key       TEXT    NOT NULL,             -- empty: unordered
  label     TEXT    NOT NULL,
  state     TEXT    NOT NULL,             -- waiting behind claimed done dead superseded ignored
  attempt   INTEGER NOT NULL DEFAULT 0,
  fence     INTEGER NOT NULL DEFAULT 0,   -- raised by each claim, never reset
  tx_fence  INTEGER NOT NULL DEFAULT 0,   -- the claim that a caller's transaction settled
  revived   INTEGER NOT NULL DEFAULT 0,
  received  INTEGER NOT NULL,
  due       INTEGER NOT NULL,
  expires   INTEGER NOT NULL DEFAULT 0,   -- end of the lease while claimed
  ended     INTEGER,                      -- when it became final
  yield     INTEGER NOT NULL DEFAULT 0,   -- lets younger ones of its key pass
  quiet     INTEGER NOT NULL,             -- 0: does not coalesce
  most      INTEGER NOT NULL,
  burst     INTEGER NOT NULL,             -- when its burst began
  size      INTEGER NOT NULL,             -- of the body in bytes
  reason    TEXT    NOT NULL DEFAULT ''
) STRICT;

-- Only the head of a key is waiting or claimed.
CREATE UNIQUE INDEX hookhouse_head ON hookhouse_deliveries (source, key)
  WHERE state IN ('waiting', 'claimed') AND key <> '';
CREATE INDEX hookhouse_behind ON hookhouse_deliveries (source, key, yield, id) WHERE state = 'behind';
CREATE INDEX hookhouse_yield ON hookhouse_deliveries (source, key, due) WHERE state = 'behind' AND yield = 1;
CREATE INDEX hookhouse_due ON hookhouse_deliveries (type, due, id) WHERE state = 'waiting';
CREATE INDEX hookhouse_lease ON hookhouse_deliveries (type, expires) WHERE state = 'claimed';
CREATE INDEX hookhouse_ended ON hookhouse_deliveries (ended) WHERE ended IS NOT NULL;
CREATE INDEX hookhouse_done ON hookhouse_deliveries (source, key, coalesce(origin, id)) WHERE state = 'done' AND key <> '';

CREATE TABLE hookhouse_bodies (
  id       INTEGER PRIMARY KEY,           -- of the delivery
  envelope TEXT NOT NULL,                 -- JSON: header and marks
  body     BLOB NOT NULL
) STRICT;

-- What makes a second delivery of a source a duplicate. Outlives the delivery.
CREATE TABLE hookhouse_marks (
  source    TEXT    NOT NULL,
  mark      TEXT    NOT NULL,
  uid       TEXT    NOT NULL,
  at        INTEGER NOT NULL,
  state     TEXT,                         -- of a delivery that has been deleted
  sender_id TEXT,                         -- of one that has been deleted
  UNIQUE (source, mark)
) STRICT;

-- Who made a finished delivery run again.
CREATE TABLE hookhouse_replays (
  uid TEXT    NOT NULL,
  at  INTEGER NOT NULL,
  who TEXT    NOT NULL,
  why TEXT    NOT NULL,
  was TEXT    NOT NULL                    -- its state before
) STRICT;
CREATE INDEX hookhouse_replay ON hookhouse_replays (uid);

INSERT INTO hookhouse_schema (version) VALUES (1);
