-- The statements of the inbox for SQLite. @name stands for an argument and
-- becomes a ? each time; all writes run in one BEGIN IMMEDIATE at a time. The
-- statements of a put are run for each delivery: preparing them once costs less
-- than taking a batch apart in SQL, and one that inserts a single row from VALUES
-- needs no journal of its own to be undone by.
--
-- A limit is written @n + 0: SQLite looks at the value of a bare argument when it
-- plans, and then compiles the statement again each time that it is bound.

-- name: begin
BEGIN IMMEDIATE

-- name: version
SELECT coalesce(max(version), 0) FROM hookhouse_schema

-- name: file
SELECT file FROM pragma_database_list WHERE name = 'main'

-- name: ping
UPDATE hookhouse_schema SET pinged = @now

-- name: lookup
-- What this delivery repeats, first by uid, then by its dedup keys.
SELECT 0, -1 AS place, uid, state, sender_id, revived, 0 FROM hookhouse_deliveries WHERE uid = @uid
UNION ALL
SELECT 0, u.key, m.uid, coalesce(d.state, m.state, 'done'), coalesce(d.sender_id, m.sender_id, ''), coalesce(d.revived, 0), d.uid IS NULL
FROM json_each(@marks) u CROSS JOIN hookhouse_marks m LEFT JOIN hookhouse_deliveries d ON d.uid = m.uid
WHERE m.source = @source AND m.mark = u.value AND m.at >= @now - @window
ORDER BY 2

-- name: lock
-- Nothing to lock: there is one writer.

-- name: demote_head
-- A head that waits for its retry and lets younger ones pass.
UPDATE hookhouse_deliveries SET state = 'behind'
WHERE source = @source AND key = @key AND state IN ('waiting', 'claimed') AND key <> ''
  AND state = 'waiting' AND yield = 1 AND due > @now

-- name: supersede
UPDATE hookhouse_deliveries SET state = 'superseded', ended = @now
WHERE id IN (
  SELECT id FROM hookhouse_deliveries WHERE source = @source AND key = @key AND key <> '' AND state IN ('waiting', 'claimed') AND state = 'waiting'
  UNION ALL
  SELECT id FROM hookhouse_deliveries WHERE source = @source AND key = @key AND state = 'behind')
AND uid <> @uid
RETURNING uid, burst, attempt, quiet

-- name: insert_dedup_key
-- Nothing where the dedup key stands already, also one older than the window.
INSERT OR IGNORE INTO hookhouse_marks (source, mark, uid, at) VALUES (@source, @mark, @uid, @now)

-- name: delete_last_dedup_keys
-- Takes back as many as were just made: a new row is the last.
DELETE FROM hookhouse_marks WHERE rowid IN (SELECT rowid FROM hookhouse_marks ORDER BY rowid DESC LIMIT @n + 0)

-- name: insert
-- What is known by its uid is left out, and so is what stands behind a head that
-- lets it pass: its state would be null. The caller sees that there is no row.
INSERT OR IGNORE INTO hookhouse_deliveries (uid, source, sender_id, type, key, label, received, size, quiet, most, state, burst, due)
VALUES (@uid, @source, @sender_id, @type, @key, @label, @received, @size, @quiet, @most,
  nullif(coalesce((
    SELECT CASE WHEN h.state = 'waiting' AND h.yield = 1 AND h.due > @now THEN '' ELSE 'behind' END FROM hookhouse_deliveries h
    WHERE h.source = @source AND h.key = @key AND h.state IN ('waiting', 'claimed') AND h.key <> ''
  ), 'waiting'), ''),
  @burst,
  CASE WHEN @quiet = 0 THEN @now WHEN @most > 0 THEN min(@now + @quiet, @burst + @most) ELSE @now + @quiet END)

-- name: insert_bodies
INSERT INTO hookhouse_bodies (id, envelope, body) VALUES (last_insert_rowid(), @envelope, @body)

-- name: insert_dedup_keys
-- What stands here already is older than the window.
INSERT OR REPLACE INTO hookhouse_marks (source, mark, uid, at)
SELECT @source, value, @uid, @now FROM json_each(@marks)

-- name: promote
-- The next of a key without a head: one whose retry is due, the oldest that
-- waits for none, the one whose retry is due first.
UPDATE hookhouse_deliveries SET state = 'waiting'
WHERE id = coalesce(
  (SELECT id FROM hookhouse_deliveries WHERE source = @source AND key = @key AND state = 'behind' AND yield = 1 AND due <= @now ORDER BY due, id LIMIT 1),
  (SELECT id FROM hookhouse_deliveries WHERE source = @source AND key = @key AND state = 'behind' AND yield = 0 ORDER BY id LIMIT 1),
  (SELECT id FROM hookhouse_deliveries WHERE source = @source AND key = @key AND state = 'behind' AND yield = 1 ORDER BY due, id LIMIT 1))
AND NOT EXISTS (
  SELECT 1 FROM hookhouse_deliveries WHERE source = @source AND key = @key AND state IN ('waiting', 'claimed') AND key <> '')

-- name: promote_group
-- See settle_group.

-- name: superseded_claims
-- Claims let go by their workers while a newer one of a burst waits.
WITH RECURSIVE c(type) AS (
  SELECT (SELECT min(type) FROM hookhouse_deliveries WHERE state = 'claimed') WHERE @any = 1
  UNION ALL
  SELECT (SELECT min(d.type) FROM hookhouse_deliveries d WHERE d.state = 'claimed' AND d.type > c.type) FROM c WHERE c.type IS NOT NULL
), asked(value) AS (
  SELECT value FROM json_each(@types) UNION SELECT type FROM c
)
SELECT d.uid, d.source, d.key FROM asked t CROSS JOIN hookhouse_deliveries d
WHERE d.type = t.value AND d.state = 'claimed' AND d.expires <= @now AND d.key <> ''
  AND d.uid NOT IN (SELECT value FROM json_each(@except))
  AND (SELECT b.quiet FROM hookhouse_deliveries b
       WHERE b.source = d.source AND b.key = d.key AND b.state = 'behind' AND b.yield = 0 AND b.id > d.id ORDER BY b.id LIMIT 1) > 0
LIMIT 100

-- name: supersede_claim
UPDATE hookhouse_deliveries SET state = 'superseded', ended = @now
WHERE uid = @uid AND state = 'claimed' AND expires <= @now

-- name: claim
-- Of the oldest that are due of @types, with @any of all types, as many as @bytes
-- allows; with @first one in any case. The types of what waits or is claimed are
-- looked up one by one. What is overtaken is passed by.
WITH RECURSIVE w(type) AS (
  SELECT (SELECT min(type) FROM hookhouse_deliveries WHERE state = 'waiting') WHERE @any = 1
  UNION ALL
  SELECT (SELECT min(d.type) FROM hookhouse_deliveries d WHERE d.state = 'waiting' AND d.type > w.type) FROM w WHERE w.type IS NOT NULL
), c(type) AS (
  SELECT (SELECT min(type) FROM hookhouse_deliveries WHERE state = 'claimed') WHERE @any = 1
  UNION ALL
  SELECT (SELECT min(d.type) FROM hookhouse_deliveries d WHERE d.state = 'claimed' AND d.type > c.type) FROM c WHERE c.type IS NOT NULL
), asked(value) AS (
  SELECT value FROM json_each(@types) UNION SELECT type FROM w UNION SELECT type FROM c
)
UPDATE hookhouse_deliveries
SET due = CASE state WHEN 'claimed' THEN expires ELSE due END,
  lost = lost + (state = 'claimed'),
  attempt = attempt + (lost + (state = 'claimed') < 2),
  state = 'claimed', fence = fence + 1, expires = @now + @lease
WHERE id IN (
  SELECT id FROM (
    SELECT p.id, row_number() OVER w AS place, sum(p.size) OVER w AS total FROM (
      SELECT d.id, CASE d.state WHEN 'claimed' THEN d.expires ELSE d.due END AS since,
        CASE WHEN d.lost + (d.state = 'claimed') < 2 THEN d.size ELSE 0 END AS size
      FROM asked t CROSS JOIN hookhouse_deliveries d
      WHERE d.id IN (
        SELECT id FROM (SELECT w.id FROM hookhouse_deliveries w
          WHERE w.state = 'waiting' AND w.type = t.value AND w.due <= @now AND w.uid NOT IN (SELECT value FROM json_each(@except))
          ORDER BY w.due, w.id LIMIT @n + 0)
        UNION ALL
        SELECT id FROM (SELECT c.id FROM hookhouse_deliveries c
          WHERE c.state = 'claimed' AND c.type = t.value AND c.expires <= @now AND c.uid NOT IN (SELECT value FROM json_each(@except))
            AND (c.key = '' OR coalesce((SELECT b.quiet FROM hookhouse_deliveries b
              WHERE b.source = c.source AND b.key = c.key AND b.state = 'behind' AND b.yield = 0 AND b.id > c.id ORDER BY b.id LIMIT 1), 0) = 0)
          ORDER BY c.expires LIMIT @n + 0))
      ORDER BY since, d.id LIMIT @n + 0
    ) p WINDOW w AS (ORDER BY p.since, p.id)
  ) WHERE place = 1 AND @first = 1 OR total <= @bytes)
RETURNING id, due, attempt, lost, crashes, reason, fence, expires,
  uid, source, sender_id, type, key, label, received, quiet, most, size,
  CASE WHEN lost < 2 THEN (SELECT envelope FROM hookhouse_bodies b WHERE b.id = hookhouse_deliveries.id) END,
  CASE WHEN lost < 2 THEN (SELECT body FROM hookhouse_bodies b WHERE b.id = hookhouse_deliveries.id) END

-- name: content
-- Of a claim; no row where it is not held.
SELECT b.envelope, b.body FROM hookhouse_deliveries d LEFT JOIN hookhouse_bodies b ON b.id = d.id
WHERE d.uid = @uid AND d.fence = @fence AND d.state = 'claimed'

-- name: begin_run
-- A suspect's run; once for each claim.
UPDATE hookhouse_deliveries
SET attempt = attempt + (lost >= 2 AND begun <> fence), crashes = crashes + (lost >= 2 AND begun <> fence), begun = fence
WHERE uid = @uid AND fence = @fence AND state = 'claimed'
RETURNING attempt

-- name: extend
UPDATE hookhouse_deliveries SET expires = @now + @lease
WHERE uid = @uid AND fence = @fence AND state = 'claimed'

-- name: settle
UPDATE hookhouse_deliveries
SET state = @state, reason = @reason, ended = @now, settled = fence, lost = 0, crashes = 0
WHERE uid = @uid AND fence = @fence AND state = 'claimed' AND source = @source AND key = @key

-- name: claimed_key
SELECT source, key FROM hookhouse_deliveries WHERE uid = @uid AND fence = @fence AND state = 'claimed'

-- name: settle_group
-- All settlements share the transactions of the one writer.

-- name: lock_claim
SELECT 1 FROM hookhouse_deliveries WHERE uid = @uid AND fence = @fence AND state = 'claimed'

-- name: retry
-- A suspect that has not begun its run stays one, and what is released was lost.
UPDATE hookhouse_deliveries
SET state = CASE
    WHEN key = '' THEN 'waiting'
    WHEN (SELECT b.quiet FROM hookhouse_deliveries b
      WHERE b.source = hookhouse_deliveries.source AND b.key = hookhouse_deliveries.key AND b.state = 'behind' AND b.yield = 0
        AND b.id > hookhouse_deliveries.id ORDER BY b.id LIMIT 1) > 0 THEN 'superseded'
    WHEN @yield = 1 THEN 'behind'
    ELSE 'waiting' END,
  due = @now + @delay, yield = @yield, expires = 0,
  reason = CASE WHEN @reason = '' THEN reason ELSE @reason END,
  attempt = attempt - CASE WHEN @uncounted = 1 AND (lost < 2 OR begun = fence) THEN 1 ELSE 0 END,
  lost = CASE WHEN @released = 1 OR @uncounted = 1 AND lost >= 2 AND begun <> fence THEN lost ELSE 0 END,
  crashes = CASE WHEN @released = 1 OR @uncounted = 1 AND lost >= 2 AND begun <> fence THEN crashes ELSE 0 END,
  settled = fence
WHERE uid = @uid AND fence = @fence AND state = 'claimed'
RETURNING state, source, key

-- name: end
UPDATE hookhouse_deliveries SET ended = @now WHERE uid = @uid

-- name: settled
-- What came of a claim that was settled before. Claimed again since, it had been
-- put back.
SELECT CASE WHEN fence > settled OR state = 'behind' THEN 'waiting' ELSE state END FROM hookhouse_deliveries
WHERE uid = @uid AND settled = @fence

-- name: isolation
-- There is one writer.

-- name: default_isolation
-- There is one writer.

-- name: stuck_keys
-- The next @n keys in order that have deliveries behind, and whether one is
-- without the head that it must have.
WITH RECURSIVE k(source, key) AS (
  SELECT * FROM (SELECT source, key FROM hookhouse_deliveries
   WHERE state = 'behind' AND (source, key) > (@source, @key) ORDER BY source, key LIMIT 1)
  UNION ALL
  SELECT d.source, d.key FROM k CROSS JOIN hookhouse_deliveries d
  WHERE d.id = coalesce(
    (SELECT n.id FROM hookhouse_deliveries n WHERE n.state = 'behind' AND n.source = k.source AND n.key > k.key ORDER BY n.key LIMIT 1),
    (SELECT n.id FROM hookhouse_deliveries n WHERE n.state = 'behind' AND n.source > k.source ORDER BY n.source, n.key LIMIT 1))
)
SELECT k.source, k.key, NOT EXISTS (
  SELECT 1 FROM hookhouse_deliveries d
  WHERE d.source = k.source AND d.key = k.key AND d.state IN ('waiting', 'claimed') AND d.key <> '')
FROM k LIMIT @n + 0

-- name: find
SELECT id, coalesce(origin, id), state, source, key, quiet, most, sender_id, revived FROM hookhouse_deliveries WHERE uid = @uid

-- name: newer
-- Unfinished ones that were acknowledged after the first run of this one.
SELECT count(*) FROM hookhouse_deliveries
WHERE coalesce(origin, id) > @origin AND id IN (
  SELECT id FROM hookhouse_deliveries WHERE source = @source AND key = @key AND key <> '' AND state IN ('waiting', 'claimed')
  UNION ALL
  SELECT id FROM hookhouse_deliveries WHERE source = @source AND key = @key AND state = 'behind')

-- name: restart
UPDATE hookhouse_deliveries
SET id = (SELECT max(id) + 1 FROM hookhouse_deliveries), origin = coalesce(origin, id),
  state = CASE WHEN key = '' THEN 'waiting' ELSE 'behind' END,
  attempt = 0, lost = 0, crashes = 0, yield = 0, ended = NULL, expires = 0, revived = revived + @revived, burst = min(@now, @burst),
  due = CASE WHEN quiet = 0 THEN @now WHEN most > 0 THEN min(@now + quiet, min(@now, @burst) + most) ELSE @now + quiet END
WHERE uid = @uid
RETURNING id

-- name: move_body
UPDATE hookhouse_bodies SET id = @id WHERE id = @old

-- name: release
UPDATE hookhouse_deliveries SET due = @now, yield = 0 WHERE uid = @uid AND state = 'waiting'

-- name: release_claim
-- From a worker that does not come back: what it settles later is of no claim,
-- and its claim was lost, like one whose lease ran out.
UPDATE hookhouse_deliveries SET fence = fence + 1, lost = lost + 1
WHERE uid = @uid AND fence = @fence AND state = 'claimed'

-- name: replayed
INSERT INTO hookhouse_replays (uid, at, who, why, was) VALUES (@uid, @now, @who, @why, @was)

-- name: replays
SELECT at, who, why, was FROM hookhouse_replays WHERE uid = @uid ORDER BY at

-- name: last
SELECT coalesce(max(id), 0) FROM hookhouse_deliveries

-- name: finished
-- What was finished longer ago than @age: dead ones, or all the others.
SELECT id, uid, source, state, sender_id, envelope FROM (
  SELECT e.*, b.envelope, row_number() OVER w AS place, sum(e.size + coalesce(length(b.envelope), 0)) OVER w AS total
  FROM (
    SELECT * FROM (SELECT d.id, d.uid, d.source, d.state, d.sender_id, d.size, d.ended FROM hookhouse_deliveries d
      WHERE d.ended IS NOT NULL AND d.state <> 'dead' AND d.ended < @now - @age AND @dead = 0 ORDER BY d.ended LIMIT @n + 0)
    UNION ALL
    SELECT * FROM (SELECT d.id, d.uid, d.source, d.state, d.sender_id, d.size, d.ended FROM hookhouse_deliveries d
      WHERE d.ended IS NOT NULL AND d.state = 'dead' AND d.ended < @now - @age AND @dead = 1 ORDER BY d.ended LIMIT @n + 0)
  ) e LEFT JOIN hookhouse_bodies b ON b.id = e.id
  WINDOW w AS (ORDER BY e.ended, e.id)
) WHERE place = 1 OR total <= @bytes

-- name: expiring_dead
-- Dead letters that are older than @age, by type.
SELECT type, count(*) FROM hookhouse_deliveries
WHERE ended IS NOT NULL AND state = 'dead' AND ended < @now - @age GROUP BY type ORDER BY type

-- name: keep_last_state
-- What became of deliveries, told by their dedup keys when they are gone.
UPDATE hookhouse_marks SET state = f.state, sender_id = f.sender_id
FROM (
  SELECT value ->> '$.source' AS source, value ->> '$.mark' AS mark, value ->> '$.uid' AS uid,
    value ->> '$.state' AS state, value ->> '$.sender_id' AS sender_id FROM json_each(@fates)
) f
WHERE hookhouse_marks.source = f.source AND hookhouse_marks.mark = f.mark AND hookhouse_marks.uid = f.uid

-- name: delete_last_state
DELETE FROM hookhouse_marks WHERE source = @source AND uid = @uid AND mark IN (SELECT value FROM json_each(@marks))

-- name: delete_bodies
DELETE FROM hookhouse_bodies WHERE id IN (SELECT value FROM json_each(@ids))

-- name: delete_replays
DELETE FROM hookhouse_replays WHERE uid IN (SELECT d.uid FROM json_each(@ids) i CROSS JOIN hookhouse_deliveries d WHERE d.id = i.value)

-- name: delete_deliveries
DELETE FROM hookhouse_deliveries WHERE id IN (SELECT value FROM json_each(@ids))

-- name: restamp_dedup_keys
-- Dedup keys of a clock that has been ahead go to the end: rows stand in order of time.
INSERT OR REPLACE INTO hookhouse_marks (source, mark, uid, at, state, sender_id)
SELECT source, mark, uid, @now, state, sender_id FROM hookhouse_marks
WHERE rowid IN (SELECT rowid FROM hookhouse_marks ORDER BY rowid LIMIT @n + 0) AND at > @now

-- name: delete_dedup_keys
DELETE FROM hookhouse_marks
WHERE rowid IN (SELECT rowid FROM hookhouse_marks ORDER BY rowid LIMIT @n + 0) AND at < @now - @window

-- name: counts
SELECT type, state, count(*) FROM hookhouse_deliveries GROUP BY type, state

-- name: oldest
-- By type, since when the one that waits longest has been due, and since when the
-- lease is over that ran out first.
WITH RECURSIVE w(type) AS (
  SELECT min(type) FROM hookhouse_deliveries WHERE state = 'waiting'
  UNION ALL
  SELECT (SELECT min(d.type) FROM hookhouse_deliveries d WHERE d.state = 'waiting' AND d.type > w.type) FROM w WHERE w.type IS NOT NULL
), c(type) AS (
  SELECT min(type) FROM hookhouse_deliveries WHERE state = 'claimed'
  UNION ALL
  SELECT (SELECT min(d.type) FROM hookhouse_deliveries d WHERE d.state = 'claimed' AND d.type > c.type) FROM c WHERE c.type IS NOT NULL
), found(type, since) AS (
  SELECT w.type, (SELECT min(d.due) FROM hookhouse_deliveries d WHERE d.state = 'waiting' AND d.type = w.type) FROM w WHERE w.type IS NOT NULL
  UNION ALL
  SELECT c.type, (SELECT min(d.expires) FROM hookhouse_deliveries d WHERE d.state = 'claimed' AND d.type = c.type) FROM c WHERE c.type IS NOT NULL
)
SELECT type, min(since), @now FROM found WHERE since <= @now GROUP BY type

-- name: stale
SELECT count(*) FROM (
  SELECT 1 FROM hookhouse_deliveries
  WHERE source = @source AND key = @key AND state = 'done' AND key <> ''
    AND coalesce(origin, id) > (SELECT coalesce(o.origin, o.id) FROM hookhouse_deliveries o WHERE o.uid = @uid) LIMIT 1)

-- name: has_tables
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'hookhouse_schema'

-- name: has_origin
SELECT count(*) FROM pragma_table_info('hookhouse_deliveries') WHERE name = 'origin'

-- name: contents
SELECT d.uid, b.envelope, b.body FROM json_each(@uids) u CROSS JOIN hookhouse_deliveries d ON d.uid = u.value LEFT JOIN hookhouse_bodies b ON b.id = d.id

-- name: pending
SELECT count(*) FROM (
  SELECT 1 FROM hookhouse_deliveries WHERE state = 'waiting'
  UNION ALL SELECT 1 FROM hookhouse_deliveries WHERE state = 'behind'
  UNION ALL SELECT 1 FROM hookhouse_deliveries WHERE state = 'claimed'
  LIMIT @most + 0)
