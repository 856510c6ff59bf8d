-- Hookhouse inbox, schema 3, PostgreSQL 13 or later.

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
ALTER TABLE hookhouse_replays RENAME COLUMN at TO replayed_at;
ALTER TABLE hookhouse_replays RENAME COLUMN was TO previous_state;

-- The state of a delivery that an older one of its ordering key holds back is 'blocked'.
DROP INDEX hookhouse_behind;
DROP INDEX hookhouse_yield;
UPDATE hookhouse_deliveries SET state = 'blocked' WHERE state = 'behind';
CREATE INDEX hookhouse_blocked ON hookhouse_deliveries (source, ordering_key, retry_out_of_order, id) WHERE state = 'blocked';
CREATE INDEX hookhouse_blocked_retry ON hookhouse_deliveries (source, ordering_key, due_at) WHERE state = 'blocked' AND retry_out_of_order = 1;

ALTER INDEX hookhouse_ended RENAME TO hookhouse_finished;
ALTER INDEX hookhouse_replay RENAME TO hookhouse_replays_uid;

-- What makes a second delivery of a source a duplicate. Outlives the delivery.
CREATE TABLE hookhouse_dedup_keys (
  hash        bytea NOT NULL PRIMARY KEY,   -- the first 16 bytes of SHA-256 of the source, a zero byte and the key
  delivery_id bigint,                       -- of its first run; NULL once it is deleted
  seen_at     bigint NOT NULL,
  uid         text COLLATE "C",             -- from here on: of a delivery that has been deleted
  state       text COLLATE "C",
  sender_id   text COLLATE "C"
);
INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at, uid, state, sender_id)
SELECT substring(sha256(convert_to(m.source, 'UTF8') || '\x00'::bytea || convert_to(m.mark, 'UTF8')) FROM 1 FOR 16), coalesce(d.first_id, d.id), m.at,
  CASE WHEN d.id IS NULL THEN m.uid END, CASE WHEN d.id IS NULL THEN m.state END, CASE WHEN d.id IS NULL THEN m.sender_id END
FROM hookhouse_marks m LEFT JOIN hookhouse_deliveries d ON d.uid = m.uid;
CREATE INDEX hookhouse_dedup_seen ON hookhouse_dedup_keys (seen_at); -- not BRIN: new rows take the room of old ones
DROP TABLE hookhouse_marks;
CREATE INDEX hookhouse_first ON hookhouse_deliveries (first_id) WHERE first_id IS NOT NULL;

-- Who has claimed a delivery, and when.
ALTER TABLE hookhouse_deliveries ADD COLUMN claimed_by text NOT NULL DEFAULT '';
ALTER TABLE hookhouse_deliveries ADD COLUMN claimed_at bigint NOT NULL DEFAULT 0;
UPDATE hookhouse_deliveries SET claimed_at = due_at WHERE state = 'claimed'; -- not known, but no earlier

-- The newest failed and lost runs of each delivery. A successful run has no row.
CREATE TABLE hookhouse_attempts (
  uid        text COLLATE "C" NOT NULL,
  fence      bigint NOT NULL,               -- of the claim
  number     integer NOT NULL,              -- of the attempt; a replay counts from 1 again
  started_at bigint NOT NULL,               -- when it was claimed
  took_us    bigint NOT NULL,               -- until it was settled, or its loss was noticed
  state      text COLLATE "C" NOT NULL,     -- that it led to
  lost       integer NOT NULL,              -- 1: its lease ran out, or it was released
  reason     text NOT NULL,
  claimed_by text NOT NULL,
  PRIMARY KEY (uid, fence)
);

UPDATE hookhouse_schema SET version = 3;
