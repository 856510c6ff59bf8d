-- Hookhouse inbox, schema 3, SQLite 3.38 or later.

-- Every column and table has the name that the Go API and its documentation use.
ALTER TABLE hookhouse_deliveries RENAME COLUMN origin TO first_id;          -- the id of the first run, if this is a later one
ALTER TABLE hookhouse_deliveries RENAME COLUMN key TO ordering_key;         -- empty: unordered
ALTER TABLE hookhouse_deliveries RENAME COLUMN label TO key_label;
ALTER TABLE hookhouse_deliveries RENAME COLUMN received TO received_at;
ALTER TABLE hookhouse_deliveries RENAME COLUMN due TO due_at;
ALTER TABLE hookhouse_deliveries RENAME COLUMN expires TO lease_expires_at; -- while claimed
ALTER TABLE hookhouse_deliveries RENAME COLUMN ended TO finished_at;        -- NULL: unfinished
ALTER TABLE hookhouse_deliveries RENAME COLUMN yield TO retry_out_of_order; -- 1: younger deliveries of its ordering key may run first
ALTER TABLE hookhouse_deliveries RENAME COLUMN quiet TO coalesce_quiet_us;  -- 0: does not coalesce
ALTER TABLE hookhouse_deliveries RENAME COLUMN most TO coalesce_max_us;     -- 0: no limit
ALTER TABLE hookhouse_deliveries RENAME COLUMN burst TO burst_started_at;
ALTER TABLE hookhouse_deliveries RENAME COLUMN revived TO revivals;         -- redeliveries that made it run again after it was dead
ALTER TABLE hookhouse_deliveries RENAME COLUMN lost TO lost_claims;         -- in a row; a settlement resets it
ALTER TABLE hookhouse_deliveries RENAME COLUMN crashes TO crashed_runs;     -- in a row, of a suspect; a settlement resets it
ALTER TABLE hookhouse_deliveries RENAME COLUMN begun TO begun_fence;        -- the last suspect claim whose run began
ALTER TABLE hookhouse_deliveries RENAME COLUMN settled TO settled_fence;    -- the last claim that was settled
ALTER TABLE hookhouse_marks RENAME TO hookhouse_dedup_keys;
ALTER TABLE hookhouse_dedup_keys RENAME COLUMN mark TO dedup_key;
ALTER TABLE hookhouse_dedup_keys RENAME COLUMN at TO seen_at;
ALTER TABLE hookhouse_replays RENAME COLUMN at TO replayed_at;
ALTER TABLE hookhouse_replays RENAME COLUMN was TO previous_state;

-- The state of a delivery that an older one of its ordering key holds back is 'blocked'.
DROP INDEX hookhouse_behind;
DROP INDEX hookhouse_yield;
UPDATE hookhouse_deliveries SET state = 'blocked' WHERE state = 'behind';
CREATE INDEX hookhouse_blocked ON hookhouse_deliveries (source, ordering_key, retry_out_of_order, id) WHERE state = 'blocked';
CREATE INDEX hookhouse_blocked_retry ON hookhouse_deliveries (source, ordering_key, due_at) WHERE state = 'blocked' AND retry_out_of_order = 1;

DROP INDEX hookhouse_ended;
CREATE INDEX hookhouse_finished ON hookhouse_deliveries (finished_at) WHERE finished_at IS NOT NULL AND state <> 'dead';
DROP INDEX hookhouse_replay;
CREATE INDEX hookhouse_replays_uid ON hookhouse_replays (uid);

-- Who has claimed a delivery, and when.
ALTER TABLE hookhouse_deliveries ADD COLUMN claimed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE hookhouse_deliveries ADD COLUMN claimed_at INTEGER NOT NULL DEFAULT 0;
UPDATE hookhouse_deliveries SET claimed_at = due_at WHERE state = 'claimed'; -- not known, but no earlier

-- The newest failed and lost runs of each delivery. A successful run has no row.
CREATE TABLE hookhouse_attempts (
  uid        TEXT NOT NULL,
  fence      INTEGER NOT NULL,              -- of the claim
  number     INTEGER NOT NULL,              -- of the attempt; a replay counts from 1 again
  started_at INTEGER NOT NULL,              -- when it was claimed
  took_us    INTEGER NOT NULL,              -- until it was settled, or its loss was noticed
  state      TEXT NOT NULL,                 -- that it led to
  lost       INTEGER NOT NULL,              -- 1: its lease ran out, or it was released
  reason     TEXT NOT NULL,
  claimed_by TEXT NOT NULL,
  PRIMARY KEY (uid, fence)
) STRICT, WITHOUT ROWID;

UPDATE hookhouse_schema SET version = 3;
