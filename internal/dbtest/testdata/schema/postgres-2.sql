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

-- A delivery in each state.
INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, key, label, state, attempt, fence, received, due, expires, ended, quiet, most, burst, size, reason) VALUES (1, 'u-done', 'alpha', 'id-1', 'alpha.push', 'one', 'new', 'done', 1, 1, 900, 1000, 0, 2000, 0, 0, 1000, 7, '');
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (1, '{"header":{"X-Event":["push"]},"marks":["mark-1"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_marks (source, mark, uid, at) VALUES ('alpha', 'mark-1', 'u-done', 4000000000000000);
INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, key, label, state, attempt, fence, received, due, expires, ended, quiet, most, burst, size, reason) VALUES (2, 'u-dead', 'alpha', 'id-2', 'alpha.push', 'two', 'new', 'dead', 15, 15, 900, 1000, 0, 2000, 0, 0, 1000, 7, 'registry is down');
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (2, '{"header":{"X-Event":["push"]},"marks":["mark-2"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_marks (source, mark, uid, at) VALUES ('alpha', 'mark-2', 'u-dead', 4000000000000000);
INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, key, label, state, attempt, fence, received, due, expires, ended, quiet, most, burst, size, reason) VALUES (3, 'u-superseded', 'alpha', 'id-3', 'alpha.push', 'three', 'new', 'superseded', 0, 0, 900, 1000, 0, 2000, 0, 0, 1000, 7, '');
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (3, '{"header":{"X-Event":["push"]},"marks":["mark-3"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_marks (source, mark, uid, at) VALUES ('alpha', 'mark-3', 'u-superseded', 4000000000000000);
INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, key, label, state, attempt, fence, received, due, expires, ended, quiet, most, burst, size, reason) VALUES (4, 'u-ignored', 'alpha', 'id-4', 'alpha.other', '', 'new', 'ignored', 1, 1, 900, 1000, 0, 2000, 0, 0, 1000, 7, '');
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (4, '{"header":{"X-Event":["push"]},"marks":["mark-4"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_marks (source, mark, uid, at) VALUES ('alpha', 'mark-4', 'u-ignored', 4000000000000000);
INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, key, label, state, attempt, fence, received, due, expires, ended, quiet, most, burst, size, reason) VALUES (5, 'u-claimed', 'alpha', 'id-5', 'alpha.push', 'one', 'new', 'claimed', 2, 3, 900, 1000, 5000, NULL, 0, 0, 1000, 7, 'not yet');
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (5, '{"header":{"X-Event":["push"]},"marks":["mark-5"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_marks (source, mark, uid, at) VALUES ('alpha', 'mark-5', 'u-claimed', 4000000000000000);
INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, key, label, state, attempt, fence, received, due, expires, ended, quiet, most, burst, size, reason) VALUES (6, 'u-behind', 'alpha', 'id-6', 'alpha.push', 'one', 'new', 'behind', 0, 0, 900, 1000, 0, NULL, 0, 0, 1000, 7, '');
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (6, '{"header":{"X-Event":["push"]},"marks":["mark-6"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_marks (source, mark, uid, at) VALUES ('alpha', 'mark-6', 'u-behind', 4000000000000000);
INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, key, label, state, attempt, fence, received, due, expires, ended, quiet, most, burst, size, reason) VALUES (7, 'u-waiting', 'alpha', 'id-7', 'alpha.push', '', 'new', 'waiting', 0, 0, 900, 1000, 0, NULL, 0, 0, 1000, 7, '');
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (7, '{"header":{"X-Event":["push"]},"marks":["mark-7"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_marks (source, mark, uid, at) VALUES ('alpha', 'mark-7', 'u-waiting', 4000000000000000);
INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, key, label, state, attempt, fence, received, due, expires, ended, quiet, most, burst, size, reason) VALUES (8, 'u-retried', 'alpha', 'id-8', 'alpha.push', 'four', 'new', 'waiting', 3, 3, 900, 1000, 0, NULL, 0, 0, 1000, 7, 'refused');
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (8, '{"header":{"X-Event":["push"]},"marks":["mark-8"]}', '\x7b2261223a317d');
INSERT INTO hookhouse_marks (source, mark, uid, at) VALUES ('alpha', 'mark-8', 'u-retried', 4000000000000000);
INSERT INTO hookhouse_replays (uid, at, who, why, was) VALUES ('u-claimed', 1500, 'somebody', 'after a fix', 'dead');

-- What version 2 knows beyond that: a lost claim, a suspect's crashes, a delivery that was
-- replayed and so has another id, a redelivery, and the key of a delivery that was swept.
UPDATE hookhouse_deliveries SET lost = 1, settled = 2, begun = 1, crashes = 1, revived = 1 WHERE uid = 'u-retried';
UPDATE hookhouse_deliveries SET id = 9, origin = 4 WHERE uid = 'u-ignored';
UPDATE hookhouse_bodies SET id = 9 WHERE id = 4;
INSERT INTO hookhouse_marks (source, mark, uid, at, state, sender_id) VALUES ('alpha', 'mark-swept', 'u-swept', 4000000000000000, 'dead', 'id-swept');
INSERT INTO hookhouse_marks (source, mark, uid, at) VALUES ('alpha', 'mark-old', 'u-done', 1000);
SELECT setval('hookhouse_ids', 9);
