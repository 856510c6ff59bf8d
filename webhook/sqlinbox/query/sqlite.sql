-- The statements of the inbox for SQLite. @name is an argument and becomes a ?
-- each time. All run inside BEGIN IMMEDIATE, or in a transaction of the program, and
-- SQLite has one writer.
--
-- A Put runs its statements for each delivery: to prepare them once costs less than
-- to take a batch apart in SQL, and a statement that inserts a single row from VALUES
-- needs no statement journal.
--
-- A limit is written @n + 0. SQLite looks at the value of a bare argument when it
-- plans, and compiles the statement again each time that the argument is bound.

-- name: begin
BEGIN IMMEDIATE

-- name: version
SELECT coalesce(max(version), 0) FROM hookhouse_schema

-- name: file
SELECT file FROM pragma_database_list WHERE name = 'main'

-- name: ping
UPDATE hookhouse_schema SET pinged = @now

-- name: lookup
-- The deliveries that this one is a duplicate of, first by its uid, then by its dedup
-- keys. @hashes has 16 bytes for each key. If a delivery was replayed since, its
-- first_id is the id in the dedup key.
WITH RECURSIVE k(place) AS (
  SELECT 0 WHERE length(@hashes) > 0 UNION ALL SELECT place + 1 FROM k WHERE (place + 2) * 16 <= length(@hashes)
)
SELECT 0, -1 AS place, uid, state, sender_id, revivals, 0 FROM hookhouse_deliveries WHERE uid = @uid
UNION ALL
SELECT 0, k.place, coalesce(d.uid, r.uid, m.uid, ''), coalesce(d.state, r.state, m.state, 'done'),
  coalesce(d.sender_id, r.sender_id, m.sender_id, ''), coalesce(d.revivals, r.revivals, 0), d.uid IS NULL AND r.uid IS NULL
FROM k CROSS JOIN hookhouse_dedup_keys m
LEFT JOIN hookhouse_deliveries d ON d.id = m.delivery_id
LEFT JOIN hookhouse_deliveries r ON r.first_id = m.delivery_id
WHERE m.hash = substr(@hashes, k.place * 16 + 1, 16) AND m.seen_at >= @now - @window
ORDER BY 2

-- name: demote_head
-- Blocks a head that waits for its retry and lets younger deliveries run first.
UPDATE hookhouse_deliveries SET state = 'blocked'
WHERE source = @source AND ordering_key = @key AND state IN ('waiting', 'claimed') AND ordering_key <> ''
  AND state = 'waiting' AND retry_out_of_order = 1 AND due_at > @now

-- name: supersede
-- Ends what a delivery of a burst supersedes: what is not claimed, of its source,
-- ordering key and type.
UPDATE hookhouse_deliveries SET state = 'superseded', finished_at = @now
WHERE id IN (
  SELECT id FROM hookhouse_deliveries WHERE source = @source AND ordering_key = @key AND ordering_key <> '' AND state IN ('waiting', 'claimed') AND state = 'waiting' AND type = @type
  UNION ALL
  SELECT id FROM hookhouse_deliveries WHERE source = @source AND ordering_key = @key AND type = @type AND state = 'blocked')
AND uid <> @uid
RETURNING uid, burst_started_at, attempt, coalesce_quiet_us

-- name: insert_dedup_key
-- Inserts a dedup key of the delivery that is inserted next. It inserts nothing if the
-- key exists, even if that is older than the window.
INSERT OR IGNORE INTO hookhouse_dedup_keys (hash, delivery_id, seen_at)
VALUES (@hash, (SELECT coalesce(max(id), 0) + 1 FROM hookhouse_deliveries), @now)

-- name: insert_dedup_key_pair
-- Inserts two, which is what most deliveries have.
INSERT OR IGNORE INTO hookhouse_dedup_keys (hash, delivery_id, seen_at)
VALUES (@hash, (SELECT coalesce(max(id), 0) + 1 FROM hookhouse_deliveries), @now),
  (@other, (SELECT coalesce(max(id), 0) + 1 FROM hookhouse_deliveries), @now)

-- name: delete_new_dedup_key
-- Deletes what insert_dedup_key has inserted.
DELETE FROM hookhouse_dedup_keys
WHERE hash = @hash AND seen_at = @now AND delivery_id = (SELECT coalesce(max(id), 0) + 1 FROM hookhouse_deliveries)

-- name: insert
-- Inserts nothing if the uid exists, or if the head of the ordering key lets this one
-- run first: the state is null then. The caller sees that no row was inserted.
INSERT OR IGNORE INTO hookhouse_deliveries (uid, source, sender_id, type, ordering_key, key_label, received_at, size, coalesce_quiet_us, coalesce_max_us, state, burst_started_at, due_at)
VALUES (@uid, @source, @sender_id, @type, @key, @label, @received, @size, @quiet, @most,
  nullif(coalesce((
    SELECT CASE WHEN h.state = 'waiting' AND h.retry_out_of_order = 1 AND h.due_at > @now THEN '' ELSE 'blocked' END FROM hookhouse_deliveries h
    WHERE h.source = @source AND h.ordering_key = @key AND h.state IN ('waiting', 'claimed') AND h.ordering_key <> ''
  ), 'waiting'), ''),
  @burst,
  max(@not_before, CASE WHEN @quiet = 0 THEN @now WHEN @most > 0 THEN min(@now + @quiet, @burst + @most) ELSE @now + @quiet END))

-- name: insert_bodies
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (last_insert_rowid(), @envelope, @body)

-- name: replace_dedup_key
-- Replaces a dedup key that is older than the window, if there is one.
INSERT OR REPLACE INTO hookhouse_dedup_keys (hash, delivery_id, seen_at)
VALUES (@hash, (SELECT id FROM hookhouse_deliveries WHERE uid = @uid), @now)

-- name: promote
-- Makes the next delivery of an ordering key its head, if it has none: one whose retry
-- is due, or else the oldest that waits for no retry, or else the one whose retry is
-- due first.
UPDATE hookhouse_deliveries SET state = 'waiting'
WHERE id = coalesce(
  (SELECT id FROM hookhouse_deliveries WHERE source = @source AND ordering_key = @key AND state = 'blocked' AND retry_out_of_order = 1 AND due_at <= @now ORDER BY due_at, id LIMIT 1),
  (SELECT id FROM hookhouse_deliveries WHERE source = @source AND ordering_key = @key AND state = 'blocked' AND retry_out_of_order = 0 ORDER BY id LIMIT 1),
  (SELECT id FROM hookhouse_deliveries WHERE source = @source AND ordering_key = @key AND state = 'blocked' AND retry_out_of_order = 1 ORDER BY due_at, id LIMIT 1))
AND NOT EXISTS (
  SELECT 1 FROM hookhouse_deliveries WHERE source = @source AND ordering_key = @key AND state IN ('waiting', 'claimed') AND ordering_key <> '')

-- name: superseded_claims
-- Finds claims whose leases have run out while a newer delivery of their burst waits.
WITH RECURSIVE c(type) AS (
  SELECT (SELECT min(type) FROM hookhouse_deliveries WHERE state = 'claimed') WHERE @any = 1
  UNION ALL
  SELECT (SELECT min(d.type) FROM hookhouse_deliveries d WHERE d.state = 'claimed' AND d.type > c.type) FROM c WHERE c.type IS NOT NULL
), asked(value) AS (
  SELECT value FROM json_each(@types) UNION SELECT type FROM c
)
SELECT d.uid, d.fence, d.source, d.ordering_key FROM asked t CROSS JOIN hookhouse_deliveries d
WHERE d.type = t.value AND d.state = 'claimed' AND d.lease_expires_at <= @now AND d.ordering_key <> ''
  AND d.uid NOT IN (SELECT value FROM json_each(@except))
  AND EXISTS (SELECT 1 FROM hookhouse_deliveries b
    WHERE b.source = d.source AND b.ordering_key = d.ordering_key AND b.type = d.type AND b.state = 'blocked' AND b.coalesce_quiet_us > 0 AND b.id > d.id)
LIMIT 100

-- name: supersede_claim
UPDATE hookhouse_deliveries SET state = 'superseded', finished_at = @now
WHERE uid = @uid AND fence = @fence AND state = 'claimed' AND lease_expires_at <= @now

-- name: claim
-- Claims the oldest that are due: of @types, or of all types if @any is set, without
-- those that are paused, and live ones before replayed ones. It claims as many as @bytes
-- allows, but always one if @first is set. It looks up one by one the types of what is
-- waiting or claimed, and leaves out what superseded_claims finds.
--
-- A row that was claimed before keeps claimed_by and claimed_at of that claim, which is
-- lost now. insert_lost_attempt reads them, and reclaim then sets them.
WITH RECURSIVE w(type) AS (
  SELECT (SELECT min(type) FROM hookhouse_deliveries WHERE state = 'waiting') WHERE @any = 1
  UNION ALL
  SELECT (SELECT min(d.type) FROM hookhouse_deliveries d WHERE d.state = 'waiting' AND d.type > w.type) FROM w WHERE w.type IS NOT NULL
), c(type) AS (
  SELECT (SELECT min(type) FROM hookhouse_deliveries WHERE state = 'claimed') WHERE @any = 1
  UNION ALL
  SELECT (SELECT min(d.type) FROM hookhouse_deliveries d WHERE d.state = 'claimed' AND d.type > c.type) FROM c WHERE c.type IS NOT NULL
), asked(value) AS (
  SELECT value FROM (SELECT value FROM json_each(@types) UNION SELECT type FROM w UNION SELECT type FROM c)
  WHERE NOT EXISTS (SELECT 1 FROM hookhouse_pauses p WHERE p.type IN (value, ''))
)
UPDATE hookhouse_deliveries
SET due_at = CASE state WHEN 'claimed' THEN lease_expires_at ELSE due_at END,
  lost_claims = lost_claims + (state = 'claimed'),
  attempt = attempt + (lost_claims + (state = 'claimed') < 2),
  claimed_at = CASE state WHEN 'claimed' THEN claimed_at ELSE @now END,
  claimed_by = CASE state WHEN 'claimed' THEN claimed_by ELSE @by END,
  state = 'claimed', fence = fence + 1, lease_expires_at = @now + @lease
WHERE id IN (
  SELECT id FROM (
    SELECT p.id, row_number() OVER w AS place, sum(p.size) OVER w AS total FROM (
      SELECT d.id, d.replayed, CASE d.state WHEN 'claimed' THEN d.lease_expires_at ELSE d.due_at END AS since,
        CASE WHEN d.lost_claims + (d.state = 'claimed') < 2 THEN d.size ELSE 0 END AS size
      FROM asked t CROSS JOIN hookhouse_deliveries d
      WHERE d.id IN (
        SELECT id FROM (SELECT w.id FROM hookhouse_deliveries w
          WHERE w.state = 'waiting' AND w.type = t.value AND w.replayed = 0 AND w.due_at <= @now AND w.uid NOT IN (SELECT value FROM json_each(@except))
          ORDER BY w.due_at, w.id LIMIT @n + 0)
        UNION ALL
        SELECT id FROM (SELECT w.id FROM hookhouse_deliveries w
          WHERE w.state = 'waiting' AND w.type = t.value AND w.replayed = 1 AND w.due_at <= @now AND w.uid NOT IN (SELECT value FROM json_each(@except))
          ORDER BY w.due_at, w.id LIMIT @n + 0)
        UNION ALL
        SELECT id FROM (SELECT c.id FROM hookhouse_deliveries c
          WHERE c.state = 'claimed' AND c.type = t.value AND c.lease_expires_at <= @now AND c.uid NOT IN (SELECT value FROM json_each(@except))
            AND (c.ordering_key = '' OR NOT EXISTS (SELECT 1 FROM hookhouse_deliveries b
              WHERE b.source = c.source AND b.ordering_key = c.ordering_key AND b.type = c.type AND b.state = 'blocked' AND b.coalesce_quiet_us > 0 AND b.id > c.id))
          ORDER BY c.replayed, c.lease_expires_at LIMIT @n + 0))
      ORDER BY d.replayed, since, d.id LIMIT @n + 0
    ) p WINDOW w AS (ORDER BY p.replayed, p.since, p.id)
  ) WHERE place = 1 AND @first = 1 OR total <= @bytes)
RETURNING id, replayed, due_at, attempt, lost_claims, crashes, reason, fence, lease_expires_at, claimed_at <> @now,
  uid, source, sender_id, type, ordering_key, key_label, received_at, coalesce_quiet_us, coalesce_max_us, size,
  CASE WHEN lost_claims < 2 THEN (SELECT envelope FROM hookhouse_bodies b WHERE b.id = hookhouse_deliveries.id) END,
  CASE WHEN lost_claims < 2 THEN (SELECT body FROM hookhouse_bodies b WHERE b.id = hookhouse_deliveries.id) END

-- name: insert_lost_attempt
-- Keeps the claim before the given one, which is lost since that was made.
INSERT OR IGNORE INTO hookhouse_attempts (uid, fence, number, started_at, took_us, state, lost, reason, claimed_by)
SELECT uid, fence - 1, attempt - (lost_claims < 2), claimed_at, max(@now - claimed_at, 0), 'waiting', 1, '', claimed_by
FROM hookhouse_deliveries
WHERE uid = @uid AND fence = @fence AND (lost_claims - 1 < 2 OR begun_fence = fence - 1)

-- name: reclaim
UPDATE hookhouse_deliveries SET claimed_at = @now, claimed_by = @by WHERE uid = @uid AND fence = @fence

-- name: insert_attempt
-- Keeps the run of a claim that is about to end, or has just been superseded. The run
-- of a suspect counts once it has begun.
INSERT OR IGNORE INTO hookhouse_attempts (uid, fence, number, started_at, took_us, state, lost, reason, claimed_by)
SELECT d.uid, d.fence, d.attempt, d.claimed_at, max(@now - d.claimed_at, 0),
  CASE WHEN @state = 'waiting' AND d.ordering_key <> '' AND EXISTS (SELECT 1 FROM hookhouse_deliveries b
      WHERE b.source = d.source AND b.ordering_key = d.ordering_key AND b.type = d.type AND b.state = 'blocked' AND b.coalesce_quiet_us > 0
        AND b.id > d.id) THEN 'superseded' ELSE @state END,
  @lost, @reason, d.claimed_by
FROM hookhouse_deliveries d
WHERE d.uid = @uid AND d.fence = @fence AND d.state = @current AND (d.lost_claims < 2 OR d.begun_fence = d.fence)

-- name: trim_attempts
-- Deletes all but the newest 20 of a delivery.
DELETE FROM hookhouse_attempts WHERE uid = @uid AND fence <= (
  SELECT fence FROM hookhouse_attempts WHERE uid = @uid ORDER BY fence DESC LIMIT 1 OFFSET 20)

-- name: attempts
SELECT number, started_at, took_us, state, lost, reason, claimed_by FROM hookhouse_attempts WHERE uid = @uid ORDER BY fence

-- name: content
-- Reads the content of a claim. There is no row if the claim is not held.
SELECT b.envelope, b.body FROM hookhouse_deliveries d LEFT JOIN hookhouse_bodies b ON b.id = d.id
WHERE d.uid = @uid AND d.fence = @fence AND d.state = 'claimed'

-- name: begin_run
-- Counts the run of a suspect, once for each claim.
UPDATE hookhouse_deliveries
SET attempt = attempt + (lost_claims >= 2 AND begun_fence <> fence), crashes = crashes + (lost_claims >= 2 AND begun_fence <> fence), begun_fence = fence
WHERE uid = @uid AND fence = @fence AND state = 'claimed'
RETURNING attempt

-- name: extend
UPDATE hookhouse_deliveries SET lease_expires_at = @now + @lease
WHERE uid = @uid AND fence = @fence AND state = 'claimed'

-- name: settle
UPDATE hookhouse_deliveries
SET state = @state, reason = @reason, finished_at = @now, settled_fence = fence, lost_claims = 0, crashes = 0
WHERE uid = @uid AND fence = @fence AND state = 'claimed' AND source = @source AND ordering_key = @key

-- name: claimed_key
SELECT source, ordering_key FROM hookhouse_deliveries WHERE uid = @uid AND fence = @fence AND state = 'claimed'

-- name: lock_claim
SELECT 1 FROM hookhouse_deliveries WHERE uid = @uid AND fence = @fence AND state = 'claimed'

-- name: retry
-- Ends a claim whose delivery runs again. A suspect whose run has not begun stays one,
-- and so does a delivery that is released, since its claim was lost.
UPDATE hookhouse_deliveries
SET state = CASE
    WHEN ordering_key = '' THEN 'waiting'
    WHEN EXISTS (SELECT 1 FROM hookhouse_deliveries b
      WHERE b.source = hookhouse_deliveries.source AND b.ordering_key = hookhouse_deliveries.ordering_key AND b.type = hookhouse_deliveries.type
        AND b.state = 'blocked' AND b.coalesce_quiet_us > 0 AND b.id > hookhouse_deliveries.id) THEN 'superseded'
    WHEN @yield = 1 THEN 'blocked'
    ELSE 'waiting' END,
  due_at = @now + @delay, retry_out_of_order = @yield, lease_expires_at = 0,
  reason = CASE WHEN @reason = '' THEN reason ELSE @reason END,
  attempt = attempt - CASE WHEN @uncounted = 1 AND (lost_claims < 2 OR begun_fence = fence) THEN 1 ELSE 0 END,
  lost_claims = CASE WHEN @released = 1 OR @uncounted = 1 AND lost_claims >= 2 AND begun_fence <> fence THEN lost_claims ELSE 0 END,
  crashes = CASE WHEN @released = 1 OR @uncounted = 1 AND lost_claims >= 2 AND begun_fence <> fence THEN crashes ELSE 0 END,
  settled_fence = fence
WHERE uid = @uid AND fence = @fence AND state = 'claimed'
RETURNING state, source, ordering_key

-- name: end
UPDATE hookhouse_deliveries SET finished_at = @now WHERE uid = @uid

-- name: settled
-- The state that a claim led to that was settled before. A delivery that was claimed
-- again since was waiting after that.
SELECT CASE WHEN fence > settled_fence OR state = 'blocked' THEN 'waiting' ELSE state END FROM hookhouse_deliveries
WHERE uid = @uid AND settled_fence = @fence

-- name: stuck_keys
-- The next @n ordering keys that have blocked deliveries, and whether the key has no
-- head, which it must have.
WITH RECURSIVE k(source, ordering_key) AS (
  SELECT * FROM (SELECT source, ordering_key FROM hookhouse_deliveries
   WHERE state = 'blocked' AND (source, ordering_key) > (@source, @key) ORDER BY source, ordering_key LIMIT 1)
  UNION ALL
  SELECT d.source, d.ordering_key FROM k CROSS JOIN hookhouse_deliveries d
  WHERE d.id = coalesce(
    (SELECT n.id FROM hookhouse_deliveries n WHERE n.state = 'blocked' AND n.source = k.source AND n.ordering_key > k.ordering_key ORDER BY n.ordering_key LIMIT 1),
    (SELECT n.id FROM hookhouse_deliveries n WHERE n.state = 'blocked' AND n.source > k.source ORDER BY n.source, n.ordering_key LIMIT 1))
)
SELECT k.source, k.ordering_key, NOT EXISTS (
  SELECT 1 FROM hookhouse_deliveries d
  WHERE d.source = k.source AND d.ordering_key = k.ordering_key AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '')
FROM k LIMIT @n + 0

-- name: find
SELECT id, coalesce(first_id, id), state, source, ordering_key, coalesce_quiet_us, coalesce_max_us, sender_id, revivals, type FROM hookhouse_deliveries WHERE uid = @uid

-- name: newer
-- How many unfinished deliveries of its type were acknowledged after the first run of
-- this one.
SELECT count(*) FROM hookhouse_deliveries
WHERE coalesce(first_id, id) > @origin AND id IN (
  SELECT id FROM hookhouse_deliveries WHERE source = @source AND ordering_key = @key AND ordering_key <> '' AND state IN ('waiting', 'claimed') AND type = @type
  UNION ALL
  SELECT id FROM hookhouse_deliveries WHERE source = @source AND ordering_key = @key AND type = @type AND state = 'blocked')

-- name: restart
UPDATE hookhouse_deliveries
SET id = (SELECT max(id) + 1 FROM hookhouse_deliveries), first_id = coalesce(first_id, id),
  state = CASE WHEN ordering_key = '' THEN 'waiting' ELSE 'blocked' END,
  attempt = 0, lost_claims = 0, crashes = 0, retry_out_of_order = 0, finished_at = NULL, lease_expires_at = 0, revivals = revivals + @revived, replayed = @replayed,
  burst_started_at = min(@now, @burst),
  due_at = @pause + CASE WHEN coalesce_quiet_us = 0 THEN @now WHEN coalesce_max_us > 0 THEN min(@now + coalesce_quiet_us, min(@now, @burst) + coalesce_max_us) ELSE @now + coalesce_quiet_us END
WHERE uid = @uid
RETURNING id

-- name: move_body
UPDATE hookhouse_bodies SET id = @id WHERE id = @old

-- name: release
UPDATE hookhouse_deliveries SET due_at = @now, retry_out_of_order = 0, replayed = 0 WHERE uid = @uid AND state = 'waiting'

-- name: release_key
-- Makes the head of an ordering key due now if it is not claimed. One that is due keeps
-- its time, and so its place.
UPDATE hookhouse_deliveries SET due_at = min(due_at, @now), retry_out_of_order = 0, replayed = 0
WHERE source = @source AND ordering_key = @key AND state IN ('waiting', 'claimed') AND ordering_key <> '' AND state = 'waiting'

-- name: head_state
SELECT state FROM hookhouse_deliveries WHERE source = @source AND ordering_key = @key AND state IN ('waiting', 'claimed') AND ordering_key <> ''

-- name: is_blocked_retry
SELECT count(*) FROM hookhouse_deliveries WHERE uid = @uid AND state = 'blocked' AND retry_out_of_order = 1

-- name: release_blocked
-- Makes a blocked retry one that runs before all that are younger.
UPDATE hookhouse_deliveries SET due_at = @now, retry_out_of_order = 0, replayed = 0 WHERE uid = @uid AND state = 'blocked' AND retry_out_of_order = 1

-- name: demote_for_released
-- Blocks the head of an ordering key if it is not claimed and is younger than the
-- delivery with the uid, or lets younger ones run before its retry.
UPDATE hookhouse_deliveries SET state = 'blocked'
WHERE source = @source AND ordering_key = @key AND state IN ('waiting', 'claimed') AND ordering_key <> ''
  AND state = 'waiting' AND (retry_out_of_order = 1 OR id > (SELECT id FROM hookhouse_deliveries WHERE uid = @uid))

-- name: bury
-- The higher fence keeps what the last claim led to; see settled.
UPDATE hookhouse_deliveries
SET state = 'dead', reason = @reason, finished_at = @now, fence = fence + (fence > 0), lost_claims = 0, crashes = 0, retry_out_of_order = 0
WHERE uid = @uid AND state IN ('waiting', 'blocked') AND source = @source AND ordering_key = @key

-- name: give_up
-- Ends some deliveries of an ordering key and returns the type of each. The higher fence is as in bury.
UPDATE hookhouse_deliveries
SET state = @state, reason = @reason, finished_at = @now, fence = fence + (fence > 0), lost_claims = 0, crashes = 0, retry_out_of_order = 0
WHERE id IN (SELECT value FROM json_each(@ids)) AND state IN ('waiting', 'blocked') AND source = @source AND ordering_key = @key RETURNING type

-- name: pause
INSERT INTO hookhouse_pauses (type, paused_at, who, why) VALUES (@type, @now, @who, @why) ON CONFLICT (type) DO NOTHING

-- name: resume
DELETE FROM hookhouse_pauses WHERE type = @type RETURNING paused_at, who

-- name: pauses
-- The pauses in force, with how many deliveries are blocked by one of the type.
WITH blocked AS MATERIALIZED (
  SELECT h.type, count(*) AS n FROM hookhouse_deliveries b CROSS JOIN hookhouse_deliveries h
  WHERE b.state = 'blocked' AND EXISTS (SELECT 1 FROM hookhouse_pauses)
    AND h.source = b.source AND h.ordering_key = b.ordering_key AND h.state IN ('waiting', 'claimed') AND h.ordering_key <> ''
  GROUP BY h.type
)
SELECT p.type, p.paused_at, p.who, p.why, (SELECT coalesce(sum(b.n), 0) FROM blocked b WHERE p.type IN (b.type, ''))
FROM hookhouse_pauses p ORDER BY p.type

-- name: cursor
SELECT value FROM hookhouse_cursors WHERE name = @name

-- name: insert_cursor
INSERT INTO hookhouse_cursors (name, value, set_at) VALUES (@name, @to, @now) ON CONFLICT (name) DO NOTHING

-- name: move_cursor
UPDATE hookhouse_cursors SET value = @to, set_at = @now WHERE name = @name AND value = @from

-- name: delete_cursor
DELETE FROM hookhouse_cursors WHERE name = @name AND value = @from

-- name: known
-- The places of the dedup keys that are known. @hashes has 16 bytes for each key.
WITH RECURSIVE k(place) AS (
  SELECT 0 UNION ALL SELECT place + 1 FROM k WHERE (place + 2) * 16 <= length(@hashes)
)
SELECT k.place FROM k CROSS JOIN hookhouse_dedup_keys m
WHERE m.hash = substr(@hashes, k.place * 16 + 1, 16) AND m.seen_at >= @now - @window

-- name: release_claim
-- Ends the claim of a worker that does not come back. What that worker settles later
-- is no claim any more. The claim counts as lost, as if its lease had run out.
UPDATE hookhouse_deliveries SET fence = fence + 1, lost_claims = lost_claims + 1, replayed = 0
WHERE uid = @uid AND fence = @fence AND state = 'claimed'

-- name: replayed
INSERT INTO hookhouse_replays (uid, replayed_at, who, why, previous_state) VALUES (@uid, @now, @who, @why, @was)

-- name: replays
SELECT replayed_at, who, why, previous_state FROM hookhouse_replays WHERE uid = @uid ORDER BY replayed_at

-- name: last
SELECT coalesce(max(id), 0) FROM hookhouse_deliveries

-- name: finished
-- Deliveries that were finished longer ago than @age: dead ones if @dead is set, or
-- else all others.
SELECT id, first, uid, source, state, sender_id, envelope FROM (
  SELECT e.*, b.envelope, row_number() OVER w AS place, sum(e.size + coalesce(length(b.envelope), 0)) OVER w AS total
  FROM (
    SELECT * FROM (SELECT d.id, coalesce(d.first_id, d.id) AS first, d.uid, d.source, d.state, d.sender_id, d.size, d.finished_at FROM hookhouse_deliveries d
      WHERE d.finished_at IS NOT NULL AND d.state <> 'dead' AND d.finished_at < @now - @age AND @dead = 0 ORDER BY d.finished_at LIMIT @n + 0)
    UNION ALL
    SELECT * FROM (SELECT d.id, coalesce(d.first_id, d.id) AS first, d.uid, d.source, d.state, d.sender_id, d.size, d.finished_at FROM hookhouse_deliveries d
      WHERE d.finished_at IS NOT NULL AND d.state = 'dead' AND d.finished_at < @now - @age AND @dead = 1 ORDER BY d.finished_at LIMIT @n + 0)
  ) e LEFT JOIN hookhouse_bodies b ON b.id = e.id
  WINDOW w AS (ORDER BY e.finished_at, e.id)
) WHERE place = 1 OR total <= @bytes

-- name: finished_ids
-- Those of some deliveries that are finished.
SELECT id, first, uid, source, state, sender_id, envelope FROM (
  SELECT e.*, b.envelope, row_number() OVER w AS place, sum(e.size + coalesce(length(b.envelope), 0)) OVER w AS total
  FROM (
    SELECT d.id, coalesce(d.first_id, d.id) AS first, d.uid, d.source, d.state, d.sender_id, d.size FROM json_each(@ids) i CROSS JOIN hookhouse_deliveries d
    WHERE d.id = i.value AND d.state IN ('done', 'dead', 'superseded', 'ignored')
  ) e LEFT JOIN hookhouse_bodies b ON b.id = e.id
  WINDOW w AS (ORDER BY e.id)
) WHERE place = 1 OR total <= @bytes

-- name: locked_ids
-- How many of some deliveries are finished and not deleted.
SELECT count(*) FROM json_each(@ids) i CROSS JOIN hookhouse_deliveries d
WHERE d.id = i.value AND d.state IN ('done', 'dead', 'superseded', 'ignored')

-- name: expiring_dead
-- How many dead letters are older than @age, by type.
SELECT type, count(*) FROM hookhouse_deliveries
WHERE finished_at IS NOT NULL AND state = 'dead' AND finished_at < @now - @age GROUP BY type ORDER BY type

-- name: keep_last_state
-- Keeps the last state of deliveries with their dedup keys, before they are deleted.
UPDATE hookhouse_dedup_keys SET delivery_id = NULL, uid = f.uid, state = f.state, sender_id = f.sender_id
FROM (
  SELECT substr(@hashes, (value ->> '$.n') * 16 + 1, 16) AS hash, value ->> '$.id' AS id, value ->> '$.uid' AS uid,
    value ->> '$.state' AS state, value ->> '$.sender_id' AS sender_id FROM json_each(@states)
) f
WHERE hookhouse_dedup_keys.hash = f.hash AND hookhouse_dedup_keys.delivery_id = f.id

-- name: keep_unread_state
-- Does what keep_last_state does, for deliveries whose envelopes cannot be read. It
-- reads all dedup keys.
UPDATE hookhouse_dedup_keys SET delivery_id = NULL,
  uid = (SELECT value ->> '$.uid' FROM json_each(@states) WHERE value ->> '$.id' = delivery_id),
  state = (SELECT value ->> '$.state' FROM json_each(@states) WHERE value ->> '$.id' = delivery_id),
  sender_id = (SELECT value ->> '$.sender_id' FROM json_each(@states) WHERE value ->> '$.id' = delivery_id)
WHERE delivery_id IN (SELECT value ->> '$.id' FROM json_each(@states))

-- name: delete_last_state
WITH RECURSIVE k(place) AS (
  SELECT 0 WHERE length(@hashes) > 0 UNION ALL SELECT place + 1 FROM k WHERE (place + 2) * 16 <= length(@hashes)
)
DELETE FROM hookhouse_dedup_keys WHERE uid = @uid AND hash IN (SELECT substr(@hashes, place * 16 + 1, 16) FROM k)

-- name: delete_bodies
DELETE FROM hookhouse_bodies WHERE id IN (SELECT value FROM json_each(@ids))

-- name: delete_replays
DELETE FROM hookhouse_replays WHERE uid IN (SELECT d.uid FROM json_each(@ids) i CROSS JOIN hookhouse_deliveries d WHERE d.id = i.value)

-- name: delete_attempts
DELETE FROM hookhouse_attempts WHERE uid IN (SELECT d.uid FROM json_each(@ids) i CROSS JOIN hookhouse_deliveries d WHERE d.id = i.value)

-- name: delete_deliveries
DELETE FROM hookhouse_deliveries WHERE id IN (SELECT value FROM json_each(@ids))

-- name: dedup_key_page
-- The last of the next @n dedup keys, and how many there are.
SELECT max(hash), count(*) FROM (SELECT hash FROM hookhouse_dedup_keys WHERE hash > @after ORDER BY hash LIMIT @n + 0)

-- name: restamp_dedup_keys
-- Sets dedup keys to now that have the time of a clock that was ahead: they would be
-- kept too long.
UPDATE hookhouse_dedup_keys SET seen_at = @now WHERE hash > @after AND hash <= @end AND seen_at > @now

-- name: delete_dedup_keys
DELETE FROM hookhouse_dedup_keys WHERE hash > @after AND hash <= @end AND seen_at < @now - @window

-- name: counts
SELECT type, state, count(*) FROM hookhouse_deliveries GROUP BY type, state

-- name: overview
-- How many deliveries have each state: no more than @most of each that is unfinished, of
-- dead ones, and of the others that are finished, of which these are the last ones.
-- Each is in the order of an index, so that this is read and not the table.
SELECT state, count(*) FROM (
  SELECT * FROM (SELECT state FROM hookhouse_deliveries WHERE state = 'waiting' ORDER BY type, replayed, due_at, id LIMIT @most + 0)
  UNION ALL SELECT * FROM (SELECT state FROM hookhouse_deliveries WHERE state = 'blocked' ORDER BY source, ordering_key, retry_out_of_order, id LIMIT @most + 0)
  UNION ALL SELECT * FROM (SELECT state FROM hookhouse_deliveries WHERE state = 'claimed' ORDER BY type, lease_expires_at LIMIT @most + 0)
  UNION ALL SELECT * FROM (SELECT state FROM hookhouse_deliveries WHERE finished_at IS NOT NULL AND state = 'dead' ORDER BY finished_at DESC LIMIT @most + 0)
  UNION ALL SELECT * FROM (SELECT state FROM hookhouse_deliveries WHERE finished_at IS NOT NULL AND state <> 'dead' ORDER BY finished_at DESC LIMIT @most + 0)
) GROUP BY state

-- name: in_force
-- The pauses in force, without what they hold back.
SELECT type, paused_at, who, why, 0 FROM hookhouse_pauses ORDER BY type

-- name: oldest
-- By type, when the delivery that waits longest was due, or when the lease that ran
-- out first ended.
WITH RECURSIVE w(type) AS (
  SELECT min(type) FROM hookhouse_deliveries WHERE state = 'waiting'
  UNION ALL
  SELECT (SELECT min(d.type) FROM hookhouse_deliveries d WHERE d.state = 'waiting' AND d.type > w.type) FROM w WHERE w.type IS NOT NULL
), c(type) AS (
  SELECT min(type) FROM hookhouse_deliveries WHERE state = 'claimed'
  UNION ALL
  SELECT (SELECT min(d.type) FROM hookhouse_deliveries d WHERE d.state = 'claimed' AND d.type > c.type) FROM c WHERE c.type IS NOT NULL
), found(type, since) AS (
  SELECT w.type, (SELECT min(d.due_at) FROM hookhouse_deliveries d WHERE d.state = 'waiting' AND d.type = w.type AND d.replayed = 0) FROM w WHERE w.type IS NOT NULL
  UNION ALL
  SELECT w.type, (SELECT min(d.due_at) FROM hookhouse_deliveries d WHERE d.state = 'waiting' AND d.type = w.type AND d.replayed = 1) FROM w WHERE w.type IS NOT NULL
  UNION ALL
  SELECT c.type, (SELECT min(d.lease_expires_at) FROM hookhouse_deliveries d WHERE d.state = 'claimed' AND d.type = c.type) FROM c WHERE c.type IS NOT NULL
)
SELECT type, min(since), @now FROM found WHERE since <= @now GROUP BY type

-- name: stale
SELECT count(*) FROM (
  SELECT 1 FROM hookhouse_deliveries
  WHERE source = @source AND ordering_key = @key AND state = 'done' AND ordering_key <> ''
    AND coalesce(first_id, id) > (SELECT coalesce(o.first_id, o.id) FROM hookhouse_deliveries o WHERE o.uid = @uid) LIMIT 1)

-- name: has_tables
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'hookhouse_schema'

-- name: marks
-- The dedup keys of schema 2 with the columns of schema 3, except for the hash.
SELECT m.rowid, m.source, m.mark, m.at, coalesce(d.first_id, d.id),
  CASE WHEN d.id IS NULL THEN m.uid END, CASE WHEN d.id IS NULL THEN m.state END, CASE WHEN d.id IS NULL THEN m.sender_id END
FROM hookhouse_marks m LEFT JOIN hookhouse_deliveries d ON d.uid = m.uid
WHERE m.rowid > @after ORDER BY m.rowid LIMIT @n + 0

-- name: insert_mark
INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at, uid, state, sender_id) VALUES (@hash, @id, @seen, @uid, @state, @sender_id)

-- name: has_origin
SELECT count(*) FROM pragma_table_info('hookhouse_deliveries') WHERE name = 'origin'

-- name: contents
SELECT d.uid, b.envelope, b.body FROM json_each(@uids) u CROSS JOIN hookhouse_deliveries d ON d.uid = u.value LEFT JOIN hookhouse_bodies b ON b.id = d.id

-- name: pending
SELECT count(*) FROM (
  SELECT 1 FROM hookhouse_deliveries WHERE state = 'waiting'
  UNION ALL SELECT 1 FROM hookhouse_deliveries WHERE state = 'blocked'
  UNION ALL SELECT 1 FROM hookhouse_deliveries WHERE state = 'claimed'
  LIMIT @most + 0)
