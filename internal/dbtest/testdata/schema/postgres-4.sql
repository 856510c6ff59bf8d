-- Hookhouse inbox, schema 1, PostgreSQL 13 or later.
-- Times are microseconds since 1970 UTC by the clock of the server.

CREATE TABLE hookhouse_schema (
  version integer NOT NULL,
  pinged  bigint  NOT NULL DEFAULT 0
);

CREATE SEQUENCE hookhouse_ids;

-- One row for each delivery, without its body so that settling rewrites little.
CREATE TABLE hookhouse_deliveries (
  id        bigint  PRIMARY KEY DEFAULT nextval('hookhouse_ids'), -- order of acknowledgement; a later run has a new one
  origin    bigint,                       -- the id of the first run, where this is a later one
  uid       text    COLLATE "C" NOT NULL UNIQUE,
  source    text    COLLATE "C" NOT NULL,
  sender_id text    COLLATE "C" NOT NULL, -- the sender's own id, may be empty
  type      text    COLLATE "C" NOT NULL,
  key       text    COLLATE "C" NOT NULL, -- empty: unordered
  label     text    COLLATE "C" NOT NULL,
  state     text    COLLATE "C" NOT NULL, -- waiting behind claimed done dead superseded ignored
  attempt   integer NOT NULL DEFAULT 0,
  fence     bigint  NOT NULL DEFAULT 0,   -- raised by each claim, never reset
  tx_fence  bigint  NOT NULL DEFAULT 0,   -- the claim that a caller's transaction settled
  revived   integer NOT NULL DEFAULT 0,
  received  bigint  NOT NULL,
  due       bigint  NOT NULL,
  expires   bigint  NOT NULL DEFAULT 0,   -- end of the lease while claimed
  ended     bigint,                       -- when it became final
  yield     integer NOT NULL DEFAULT 0,   -- lets younger ones of its key pass
  quiet     bigint  NOT NULL,             -- 0: does not coalesce
  most      bigint  NOT NULL,
  burst     bigint  NOT NULL,             -- when its burst began
  size      bigint  NOT NULL,             -- of the body in bytes
  reason    text    NOT NULL DEFAULT ''
);

-- Only the head of a key is waiting or claimed. The writers rely on this index
-- to refuse a second head when two of them decide at once; they then try again.
CREATE UNIQUE INDEX hookhouse_head ON hookhouse_deliveries (source, key)
  WHERE state IN ('waiting', 'claimed') AND key <> '';
CREATE INDEX hookhouse_behind ON hookhouse_deliveries (source, key, yield, id) WHERE state = 'behind';
CREATE INDEX hookhouse_yield ON hookhouse_deliveries (source, key, due) WHERE state = 'behind' AND yield = 1;
CREATE INDEX hookhouse_due ON hookhouse_deliveries (type, due, id) WHERE state = 'waiting';
CREATE INDEX hookhouse_lease ON hookhouse_deliveries (type, expires) WHERE state = 'claimed';
CREATE INDEX hookhouse_ended ON hookhouse_deliveries (ended) WHERE ended IS NOT NULL;
CREATE INDEX hookhouse_done ON hookhouse_deliveries (source, key, coalesce(origin, id)) WHERE state = 'done' AND key <> '';

CREATE TABLE hookhouse_bodies (
  id       bigint PRIMARY KEY,            -- of the delivery
  envelope text   NOT NULL,               -- JSON: header and marks
  body     bytea  NOT NULL
);

-- The default compression costs more time than the write it saves.
DO $$
BEGIN
  EXECUTE 'ALTER TABLE hookhouse_bodies ALTER COLUMN body SET COMPRESSION lz4, ALTER COLUMN envelope SET COMPRESSION lz4';
EXCEPTION WHEN OTHERS THEN
  ALTER TABLE hookhouse_bodies ALTER COLUMN body SET STORAGE EXTERNAL;
END
$$;

-- What makes a second delivery of a source a duplicate. Outlives the delivery.
CREATE TABLE hookhouse_marks (
  source    text   COLLATE "C" NOT NULL,
  mark      text   COLLATE "C" NOT NULL,
  uid       text   COLLATE "C" NOT NULL,
  at        bigint NOT NULL,
  state     text   COLLATE "C",           -- of a delivery that has been deleted
  sender_id text   COLLATE "C",           -- of one that has been deleted
  PRIMARY KEY (source, mark)
);
CREATE INDEX hookhouse_marked ON hookhouse_marks USING brin (at) WITH (pages_per_range = 32);

-- Who made a finished delivery run again.
CREATE TABLE hookhouse_replays (
  uid text   COLLATE "C" NOT NULL,
  at  bigint NOT NULL,
  who text   NOT NULL,
  why text   NOT NULL,
  was text   NOT NULL                     -- its state before
);
CREATE INDEX hookhouse_replay ON hookhouse_replays (uid);

INSERT INTO hookhouse_schema (version) VALUES (1);

-- Hookhouse inbox, schema 2, PostgreSQL 13 or later.

-- These columns distinguish a claim that was lost from one that was settled.
ALTER TABLE hookhouse_deliveries RENAME COLUMN tx_fence TO settled; -- the fence of the last claim that was settled
ALTER TABLE hookhouse_deliveries ADD COLUMN lost integer NOT NULL DEFAULT 0;    -- claims in a row whose leases ran out
ALTER TABLE hookhouse_deliveries ADD COLUMN begun bigint NOT NULL DEFAULT 0;    -- the fence of the last suspect claim that began its run
ALTER TABLE hookhouse_deliveries ADD COLUMN crashes integer NOT NULL DEFAULT 0; -- such runs in a row that were not settled

-- Dead letters are kept longer than what else is finished.
DROP INDEX hookhouse_ended;
CREATE INDEX hookhouse_ended ON hookhouse_deliveries (ended) WHERE ended IS NOT NULL AND state <> 'dead';
CREATE INDEX hookhouse_dead ON hookhouse_deliveries (ended) WHERE ended IS NOT NULL AND state = 'dead';

UPDATE hookhouse_schema SET version = 2;

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
SELECT substring(sha256(convert_to(m.source, 'UTF8') || decode('00', 'hex') || convert_to(m.mark, 'UTF8')) FROM 1 FOR 16), coalesce(d.first_id, d.id), m.at,
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

-- A delivery in each state. One was replayed and so has another id.
INSERT INTO hookhouse_deliveries (id, first_id, uid, source, sender_id, type, ordering_key, key_label, state, attempt, fence, received_at, due_at, lease_expires_at, finished_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size, reason, claimed_by, claimed_at) VALUES (1, NULL, 'u-done', 'alpha', 'id-1', 'alpha.push', 'one', 'new', 'done', 1, 1, 900, 1000, 0, 2000, 0, 0, 1000, 7, '', 'first', 1000);
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (1, '{"header":{"X-Event":["push"]},"dedup_keys":["mark-1"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at) VALUES ('\x3990ddf04c186310c1d2b24eda58a8fe', 1, 4000000000000000);
INSERT INTO hookhouse_deliveries (id, first_id, uid, source, sender_id, type, ordering_key, key_label, state, attempt, fence, received_at, due_at, lease_expires_at, finished_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size, reason, claimed_by, claimed_at) VALUES (2, NULL, 'u-dead', 'alpha', 'id-2', 'alpha.push', 'two', 'new', 'dead', 15, 15, 900, 1000, 0, 2000, 0, 0, 1000, 7, 'registry is down', 'first', 1000);
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (2, '{"header":{"X-Event":["push"]},"dedup_keys":["mark-2"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at) VALUES ('\x4a1ed93012e1abb0efa4c17437d1e960', 2, 4000000000000000);
INSERT INTO hookhouse_deliveries (id, first_id, uid, source, sender_id, type, ordering_key, key_label, state, attempt, fence, received_at, due_at, lease_expires_at, finished_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size, reason, claimed_by, claimed_at) VALUES (3, NULL, 'u-superseded', 'alpha', 'id-3', 'alpha.push', 'three', 'new', 'superseded', 0, 0, 900, 1000, 0, 2000, 0, 0, 1000, 7, '', '', 0);
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (3, '{"header":{"X-Event":["push"]},"dedup_keys":["mark-3"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at) VALUES ('\x644c5c127f16062cb9dfef61e346a517', 3, 4000000000000000);
INSERT INTO hookhouse_deliveries (id, first_id, uid, source, sender_id, type, ordering_key, key_label, state, attempt, fence, received_at, due_at, lease_expires_at, finished_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size, reason, claimed_by, claimed_at) VALUES (9, 4, 'u-ignored', 'alpha', 'id-4', 'alpha.other', '', 'new', 'ignored', 1, 1, 900, 1000, 0, 2000, 0, 0, 1000, 7, '', 'first', 1000);
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (9, '{"header":{"X-Event":["push"]},"dedup_keys":["mark-4"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at) VALUES ('\xeb0741c947085a71a2dc968b735eb414', 4, 4000000000000000);
INSERT INTO hookhouse_deliveries (id, first_id, uid, source, sender_id, type, ordering_key, key_label, state, attempt, fence, received_at, due_at, lease_expires_at, finished_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size, reason, claimed_by, claimed_at) VALUES (5, NULL, 'u-claimed', 'alpha', 'id-5', 'alpha.push', 'one', 'new', 'claimed', 2, 3, 900, 1000, 5000, NULL, 0, 0, 1000, 7, 'not yet', 'second', 1000);
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (5, '{"header":{"X-Event":["push"]},"dedup_keys":["mark-5"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at) VALUES ('\x07ab2aa66ca53e32866d7150c2cbc65a', 5, 4000000000000000);
INSERT INTO hookhouse_deliveries (id, first_id, uid, source, sender_id, type, ordering_key, key_label, state, attempt, fence, received_at, due_at, lease_expires_at, finished_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size, reason, claimed_by, claimed_at) VALUES (6, NULL, 'u-behind', 'alpha', 'id-6', 'alpha.push', 'one', 'new', 'blocked', 0, 0, 900, 1000, 0, NULL, 0, 0, 1000, 7, '', '', 0);
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (6, '{"header":{"X-Event":["push"]},"dedup_keys":["mark-6"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at) VALUES ('\x20718203c450ac5b29cb819ff3df0448', 6, 4000000000000000);
INSERT INTO hookhouse_deliveries (id, first_id, uid, source, sender_id, type, ordering_key, key_label, state, attempt, fence, received_at, due_at, lease_expires_at, finished_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size, reason, claimed_by, claimed_at) VALUES (7, NULL, 'u-waiting', 'alpha', 'id-7', 'alpha.push', '', 'new', 'waiting', 0, 0, 900, 1000, 0, NULL, 0, 0, 1000, 7, '', '', 0);
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (7, '{"header":{"X-Event":["push"]},"dedup_keys":["mark-7"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at) VALUES ('\xf37954ece8bc791a3b9355ae019343e7', 7, 4000000000000000);
INSERT INTO hookhouse_deliveries (id, first_id, uid, source, sender_id, type, ordering_key, key_label, state, attempt, fence, received_at, due_at, lease_expires_at, finished_at, coalesce_quiet_us, coalesce_max_us, burst_started_at, size, reason, claimed_by, claimed_at) VALUES (8, NULL, 'u-retried', 'alpha', 'id-8', 'alpha.push', 'four', 'new', 'waiting', 3, 3, 900, 1000, 0, NULL, 0, 0, 1000, 7, 'refused', 'second', 1000);
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (8, '{"header":{"X-Event":["push"]},"dedup_keys":["mark-8"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at) VALUES ('\xc682c239989a544e8b3697e0c6a12ccf', 8, 4000000000000000);
INSERT INTO hookhouse_replays (uid, replayed_at, who, why, previous_state) VALUES ('u-claimed', 1500, 'somebody', 'after a fix', 'dead');

-- A lost claim, a suspect's crashes, a redelivery, failed runs, and the dedup key of a delivery
-- that was swept.
UPDATE hookhouse_deliveries SET lost_claims = 1, settled_fence = 2, begun_fence = 1, crashed_runs = 1, revivals = 1 WHERE uid = 'u-retried';
INSERT INTO hookhouse_attempts (uid, fence, number, started_at, took_us, state, lost, reason, claimed_by) VALUES ('u-retried', 1, 1, 950, 20, 'waiting', 1, '', 'first');
INSERT INTO hookhouse_attempts (uid, fence, number, started_at, took_us, state, lost, reason, claimed_by) VALUES ('u-retried', 2, 2, 970, 10, 'waiting', 0, 'refused', 'second');
INSERT INTO hookhouse_dedup_keys (hash, seen_at, uid, state, sender_id) VALUES ('\x6e60897ab217cae8c80cad75ed2d5dc2', 4000000000000000, 'u-swept', 'dead', 'id-swept');
INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at) VALUES ('\xdf592a40d82c785fcf10ec1e2922d1c8', 1, 1000);
SELECT setval('hookhouse_ids', 9);

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

-- A type that is paused.
INSERT INTO hookhouse_pauses (type, paused_at, who, why) VALUES ('alpha.paused', 1600, 'somebody', 'a repair');
