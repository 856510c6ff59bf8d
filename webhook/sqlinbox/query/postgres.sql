-- The statements of the inbox for PostgreSQL. @name is an argument and becomes one
-- $n. @now is no argument: the server's clock in microseconds takes its place. @rows
-- and @bytes are a batch, so that a Put of any size is one statement.
--
-- Conditions that could be joins are written as look-ups: a plan made for an empty
-- table then reads a full one no more than once, and not once for each row. The
-- server makes a new plan when it has counted the rows.
--
-- If a row is found by its id or uid, its state is compared as state || '': a plan
-- made while few rows had that state would search the index of all that have it now.

-- name: begin
BEGIN ISOLATION LEVEL READ COMMITTED

-- name: version
SELECT coalesce(max(version), 0) FROM hookhouse_schema

-- name: ping
UPDATE hookhouse_schema SET pinged = @now

-- name: lookup
-- The deliveries that those of a batch are duplicates of, first by uid, then by dedup
-- key. If a delivery was replayed since, its first_id is the id in the dedup key.
WITH input AS MATERIALIZED (
  SELECT n, uid, dedup_keys FROM jsonb_to_recordset(@rows::text::jsonb) AS x(n int, uid text, dedup_keys text[])
)
SELECT i.n, -1 AS place, d.uid, d.state, d.sender_id, d.revivals, 0
FROM input i CROSS JOIN LATERAL (SELECT * FROM hookhouse_deliveries d WHERE d.uid = i.uid LIMIT 1) d
UNION ALL
SELECT i.n, u.place::int, coalesce(d.uid, m.uid, ''), coalesce(d.state, m.state, 'done'), coalesce(d.sender_id, m.sender_id, ''), coalesce(d.revivals, 0),
  CASE WHEN d.uid IS NULL THEN 1 ELSE 0 END
FROM input i CROSS JOIN LATERAL unnest(i.dedup_keys) WITH ORDINALITY AS u(hash, place)
CROSS JOIN LATERAL (SELECT * FROM hookhouse_dedup_keys m WHERE m.hash = decode(u.hash, 'hex') LIMIT 1) m
LEFT JOIN LATERAL (
  (SELECT * FROM hookhouse_deliveries d WHERE d.id = m.delivery_id LIMIT 1)
  UNION ALL
  (SELECT * FROM hookhouse_deliveries d WHERE d.first_id = m.delivery_id LIMIT 1)
  LIMIT 1
) d ON true
WHERE m.seen_at >= @now - @window::bigint
ORDER BY 1, 2

-- name: lock
-- Locks an ordering key until the end of the transaction. It waits for whoever holds
-- the key. It locks the row of the head. If there is none it takes an advisory lock,
-- since a head that another transaction has inserted and not committed is invisible.
--
-- "again" means that while it waited the head was finished, or another transaction
-- made one: the caller must lock again.
--
-- A transaction takes up to 256 advisory locks, since the server has few. For keys
-- beyond those, only the index hookhouse_head keeps two transactions from making a
-- head each.
WITH arg AS MATERIALIZED (
  SELECT CASE WHEN @wait::text <> '' THEN set_config('lock_timeout', @wait::text, true) END AS waits,
    coalesce(nullif(current_setting('hookhouse.keys', true), ''), '0')::int AS taken,
    hashtextextended(@source::text || E'\x1f' || @key::text, 'hookhouse_deliveries'::regclass::oid::bigint) AS hash
), head AS MATERIALIZED (
  SELECT d.id FROM arg CROSS JOIN LATERAL (
    SELECT d.id FROM hookhouse_deliveries d
    WHERE d.source = @source::text AND d.ordering_key = @key::text AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '' LIMIT 1
    FOR UPDATE
  ) d
)
SELECT CASE
  WHEN EXISTS (SELECT 1 FROM head) THEN 'head'
  WHEN EXISTS (SELECT 1 FROM hookhouse_deliveries d
    WHERE d.source = @source::text AND d.ordering_key = @key::text AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '') THEN 'again'
  WHEN taken >= 256 THEN 'none'
  WHEN pg_try_advisory_xact_lock(hash) THEN CASE WHEN set_config('hookhouse.keys', (taken + 1)::text, true) <> '' THEN 'none' END
  WHEN pg_advisory_xact_lock(hash)::text IS NOT NULL THEN CASE WHEN set_config('hookhouse.keys', (taken + 1)::text, true) <> '' THEN 'again' END
END FROM arg

-- name: try_lock
-- Locks many ordering keys without waiting. A row is a key that is locked now. Other
-- transactions hold the others.
WITH k AS MATERIALIZED (
  SELECT DISTINCT source COLLATE "C" AS source, ordering_key COLLATE "C" AS ordering_key
  FROM jsonb_to_recordset(@rows::text::jsonb) AS x(source text, ordering_key text) WHERE ordering_key <> '' ORDER BY 1, 2
), got AS MATERIALIZED (
  SELECT k.source, k.ordering_key, CASE
    WHEN l.id IS NOT NULL THEN 'head'
    WHEN h.id IS NOT NULL THEN 'held'
    WHEN pg_try_advisory_xact_lock(hashtextextended(k.source || E'\x1f' || k.ordering_key, 'hookhouse_deliveries'::regclass::oid::bigint)) THEN 'none'
    ELSE 'held' END AS state
  FROM k LEFT JOIN LATERAL (
    SELECT d.id FROM hookhouse_deliveries d
    WHERE d.source = k.source AND d.ordering_key = k.ordering_key AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '' LIMIT 1
    FOR UPDATE SKIP LOCKED
  ) l ON true LEFT JOIN LATERAL (
    SELECT d.id FROM hookhouse_deliveries d
    WHERE l.id IS NULL AND d.source = k.source AND d.ordering_key = k.ordering_key AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '' LIMIT 1
  ) h ON true
)
SELECT source, ordering_key, state FROM got WHERE state <> 'held'

-- name: demote_head
-- Blocks heads that wait for their retry and let younger deliveries run first.
UPDATE hookhouse_deliveries SET state = 'blocked'
WHERE id = ANY (ARRAY(
  SELECT h.id FROM (
    SELECT DISTINCT source, ordering_key FROM jsonb_to_recordset(@rows::text::jsonb) AS x(source text, ordering_key text) WHERE ordering_key <> ''
  ) k CROSS JOIN LATERAL (
    SELECT d.id, d.state, d.retry_out_of_order, d.due_at FROM hookhouse_deliveries d
    WHERE d.source = k.source AND d.ordering_key = k.ordering_key AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '' LIMIT 1
  ) h WHERE h.state = 'waiting' AND h.retry_out_of_order = 1 AND h.due_at > @now))
AND state = 'waiting'

-- name: supersede
-- Ends what a delivery of a burst supersedes: what is not claimed, of its source,
-- ordering key and type. The orders here and below are those of hookhouse_coalescing:
-- no other index has them. The head is found by its key, so its type is compared as
-- type || ''.
UPDATE hookhouse_deliveries SET state = 'superseded', finished_at = @now
WHERE id = ANY (ARRAY(
  SELECT id FROM hookhouse_deliveries WHERE source = @source::text AND ordering_key = @key::text AND ordering_key <> '' AND state IN ('waiting', 'claimed') AND state || '' = 'waiting' AND type || '' = @type::text
  UNION ALL
  (SELECT id FROM hookhouse_deliveries WHERE source = @source::text AND ordering_key = @key::text AND type = @type::text AND state = 'blocked' ORDER BY coalesce_quiet_us)))
AND state IN ('waiting', 'blocked') AND uid <> @uid::text
RETURNING uid, burst_started_at, attempt, coalesce_quiet_us

-- name: insert
-- Stores a batch by one statement, so that it needs no transaction around it.
--
-- It waits for no ordering key: a delivery is returned as held, and not stored, if
-- another transaction holds its key (see lock). It leaves out duplicates, and
-- deliveries whose head lets them run first: the caller sees that they are missing.
--
-- If @locked is set, the caller has locked the keys that have no head. If @sure is set,
-- the caller has made room for each row: nothing is left out, and the database refuses
-- what does not fit.
--
-- If @standby is set and the server has no synchronous standby, the statement fails with
-- SQLSTATE 55P02, since no session can set synchronous_standby_names.
WITH durable AS MATERIALIZED (
  SELECT CASE
      WHEN @standby::int = 1 AND current_setting('synchronous_standby_names') = '' THEN set_config('synchronous_standby_names', '', true)
      WHEN current_setting('synchronous_commit') IN ('off', 'local') OR @standby::int = 1 AND current_setting('synchronous_commit') = 'remote_write'
        THEN set_config('synchronous_commit', 'on', true) END AS done,
    CASE WHEN @wait::text <> '' THEN set_config('lock_timeout', @wait::text, true) END AS waits
), arg AS MATERIALIZED (
  SELECT @rows::text::jsonb AS rows, @bytes::bytea AS bytes, @now AS now, @now - @window::bigint AS since, done, waits FROM durable
), input AS MATERIALIZED (
  SELECT x.* FROM arg, jsonb_to_recordset(arg.rows) AS x(n int, uid text, source text, sender_id text, type text, ordering_key text, key_label text,
    received_at bigint, coalesce_quiet_us bigint, coalesce_max_us bigint, burst_started_at bigint, not_before bigint, size bigint, envelope int, at int, dedup_keys text[])
), heads AS MATERIALIZED (
  SELECT k.source, k.ordering_key, l.passes, CASE
    WHEN l.id IS NOT NULL THEN 'head'
    WHEN h.id IS NOT NULL THEN 'held'
    WHEN @locked::int = 1 THEN 'none'
    WHEN pg_try_advisory_xact_lock(hashtextextended(k.source || E'\x1f' || k.ordering_key, 'hookhouse_deliveries'::regclass::oid::bigint)) THEN 'none'
    ELSE 'held' END AS state
  FROM arg CROSS JOIN (SELECT DISTINCT source COLLATE "C" AS source, ordering_key COLLATE "C" AS ordering_key FROM input WHERE ordering_key <> '' ORDER BY 1, 2) k
  LEFT JOIN LATERAL (
    SELECT d.id, d.state = 'waiting' AND d.retry_out_of_order = 1 AND d.due_at > arg.now AS passes FROM hookhouse_deliveries d
    WHERE d.source = k.source AND d.ordering_key = k.ordering_key AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '' LIMIT 1
    FOR UPDATE SKIP LOCKED
  ) l ON true LEFT JOIN LATERAL (
    SELECT d.id FROM hookhouse_deliveries d
    WHERE l.id IS NULL AND d.source = k.source AND d.ordering_key = k.ordering_key AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '' LIMIT 1
  ) h ON true
), fresh AS MATERIALIZED (
  SELECT o.*, nextval('hookhouse_ids') AS id FROM (
    SELECT i.*, coalesce(h.state = 'head' AND NOT h.passes, false) AS headed, row_number() OVER (PARTITION BY i.source, i.ordering_key ORDER BY i.n) AS place
    FROM input i LEFT JOIN heads h ON h.source = i.source AND h.ordering_key = i.ordering_key
    WHERE (@sure::int = 1 OR (h.passes IS NOT TRUE AND h.state IS DISTINCT FROM 'held'))
      AND NOT EXISTS (SELECT 1 FROM hookhouse_deliveries d WHERE d.uid = i.uid AND @sure::int = 0 LIMIT 1)
      AND NOT EXISTS (
        SELECT 1 FROM arg, unnest(i.dedup_keys) AS u(hash) CROSS JOIN LATERAL (
          SELECT m.seen_at FROM hookhouse_dedup_keys m WHERE m.hash = decode(u.hash, 'hex') LIMIT 1
        ) m WHERE m.seen_at >= arg.since AND @sure::int = 0 LIMIT 1)
    ORDER BY i.n
  ) o
), bodies AS (
  INSERT INTO hookhouse_bodies (id, envelope, body)
  SELECT f.id, convert_from(substring(arg.bytes FROM f.at + 1 FOR f.envelope), 'UTF8'),
    substring(arg.bytes FROM f.at + 1 + f.envelope FOR f.size::int)
  FROM arg, fresh f
), dedup_keys AS (
  -- Takes over a dedup key that is older than the window. Any other has been inserted
  -- since: the null is refused, and the caller tries again and sees it.
  INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at)
  SELECT decode(u.hash, 'hex'), f.id, arg.now FROM arg, fresh f CROSS JOIN LATERAL unnest(f.dedup_keys) AS u(hash) ORDER BY 1
  ON CONFLICT (hash) DO UPDATE
  SET seen_at = CASE WHEN hookhouse_dedup_keys.seen_at < (SELECT since FROM arg) THEN excluded.seen_at END,
    delivery_id = excluded.delivery_id, uid = NULL, state = NULL, sender_id = NULL
), stored AS (
  INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, ordering_key, key_label, received_at, size, coalesce_quiet_us, coalesce_max_us, state, burst_started_at, due_at)
  SELECT f.id, f.uid, f.source, f.sender_id, f.type, f.ordering_key, f.key_label, f.received_at, f.size, f.coalesce_quiet_us, f.coalesce_max_us,
    CASE WHEN f.ordering_key = '' OR (f.place = 1 AND NOT f.headed) THEN 'waiting' ELSE 'blocked' END,
    coalesce(f.burst_started_at, arg.now),
    greatest(f.not_before, CASE WHEN f.coalesce_quiet_us = 0 THEN arg.now WHEN f.coalesce_max_us > 0 THEN least(arg.now + f.coalesce_quiet_us, coalesce(f.burst_started_at, arg.now) + f.coalesce_max_us) ELSE arg.now + f.coalesce_quiet_us END)
  FROM arg, fresh f ORDER BY f.n
  RETURNING uid
)
SELECT uid, false AS held FROM stored
UNION ALL
SELECT i.uid, true FROM input i JOIN heads h ON h.source = i.source AND h.ordering_key = i.ordering_key WHERE h.state = 'held' AND @sure::int = 0

-- name: insert_one
-- Does what insert does, for one delivery, without taking a batch apart. There is no
-- row if it leaves the delivery out. The number of dedup keys is a subquery: the planner
-- would take a plan for a given number to be cheaper, and plan each Put anew.
WITH arg AS MATERIALIZED (
  SELECT @now AS now, @now - @window::bigint AS since,
    CASE
      WHEN @standby::int = 1 AND current_setting('synchronous_standby_names') = '' THEN set_config('synchronous_standby_names', '', true)
      WHEN current_setting('synchronous_commit') IN ('off', 'local') OR @standby::int = 1 AND current_setting('synchronous_commit') = 'remote_write'
        THEN set_config('synchronous_commit', 'on', true) END AS done,
    CASE WHEN @wait::text <> '' THEN set_config('lock_timeout', @wait::text, true) END AS waits
), head AS MATERIALIZED (
  SELECT l.passes, CASE
    WHEN @key::text = '' THEN 'none'
    WHEN l.id IS NOT NULL THEN 'head'
    WHEN h.id IS NOT NULL THEN 'held'
    WHEN pg_try_advisory_xact_lock(hashtextextended(@source::text || E'\x1f' || @key::text, 'hookhouse_deliveries'::regclass::oid::bigint)) THEN 'none'
    ELSE 'held' END AS state
  FROM arg LEFT JOIN LATERAL (
    SELECT d.id, d.state = 'waiting' AND d.retry_out_of_order = 1 AND d.due_at > arg.now AS passes FROM hookhouse_deliveries d
    WHERE d.source = @source::text AND d.ordering_key = @key::text AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '' LIMIT 1
    FOR UPDATE SKIP LOCKED
  ) l ON true LEFT JOIN LATERAL (
    SELECT d.id FROM hookhouse_deliveries d
    WHERE l.id IS NULL AND d.source = @source::text AND d.ordering_key = @key::text AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '' LIMIT 1
  ) h ON true
), fresh AS MATERIALIZED (
  SELECT arg.now, CASE WHEN h.state = 'head' THEN 'blocked' ELSE 'waiting' END AS state, nextval('hookhouse_ids') AS id
  FROM arg, head h
  WHERE h.passes IS NOT TRUE AND h.state <> 'held'
    AND NOT EXISTS (SELECT 1 FROM hookhouse_deliveries d WHERE d.uid = @uid::text LIMIT 1)
    AND NOT EXISTS (
      SELECT 1 FROM generate_series(0, (SELECT octet_length(@hashes::bytea) / 16 - 1)) AS u(n) CROSS JOIN LATERAL (
        SELECT m.seen_at FROM hookhouse_dedup_keys m WHERE m.hash = substring(@hashes::bytea FROM u.n * 16 + 1 FOR 16) LIMIT 1
      ) m WHERE m.seen_at >= arg.since LIMIT 1)
), bodies AS (
  INSERT INTO hookhouse_bodies (id, envelope, body) SELECT id, @envelope::text, @body::bytea FROM fresh
), dedup_keys AS (
  INSERT INTO hookhouse_dedup_keys (hash, delivery_id, seen_at)
  SELECT substring(@hashes::bytea FROM u.n * 16 + 1 FOR 16), f.id, f.now
  FROM fresh f CROSS JOIN generate_series(0, (SELECT octet_length(@hashes::bytea) / 16 - 1)) AS u(n) ORDER BY 1
  ON CONFLICT (hash) DO UPDATE
  SET seen_at = CASE WHEN hookhouse_dedup_keys.seen_at < (SELECT since FROM arg) THEN excluded.seen_at END,
    delivery_id = excluded.delivery_id, uid = NULL, state = NULL, sender_id = NULL
), stored AS (
  INSERT INTO hookhouse_deliveries (id, uid, source, sender_id, type, ordering_key, key_label, received_at, size, coalesce_quiet_us, coalesce_max_us, state, burst_started_at, due_at)
  SELECT id, @uid::text, @source::text, @sender_id::text, @type::text, @key::text, @label::text, @received::bigint, @size::bigint,
    @quiet::bigint, @most::bigint, state, now, greatest(@not_before::bigint, now + CASE WHEN @most::bigint > 0 THEN least(@quiet::bigint, @most::bigint) ELSE @quiet::bigint END)
  FROM fresh
  RETURNING uid
)
SELECT uid, false AS held FROM stored
UNION ALL
SELECT @uid::text, true FROM head WHERE state = 'held'

-- name: promote
-- Makes the next delivery of an ordering key its head, if it has none: one whose retry
-- is due, or else the oldest that waits for no retry, or else the one whose retry is
-- due first. A row that another transaction has promoted since stays as it is.
UPDATE hookhouse_deliveries SET state = 'waiting'
WHERE id = coalesce(
  (SELECT id FROM hookhouse_deliveries WHERE source = @source::text AND ordering_key = @key::text AND state = 'blocked' AND retry_out_of_order = 1 AND due_at <= @now ORDER BY due_at, id LIMIT 1),
  (SELECT id FROM hookhouse_deliveries WHERE source = @source::text AND ordering_key = @key::text AND state = 'blocked' AND retry_out_of_order = 0 ORDER BY id LIMIT 1),
  (SELECT id FROM hookhouse_deliveries WHERE source = @source::text AND ordering_key = @key::text AND state = 'blocked' AND retry_out_of_order = 1 ORDER BY due_at, id LIMIT 1))
AND state || '' = 'blocked' AND NOT EXISTS (
  SELECT 1 FROM hookhouse_deliveries WHERE source = @source::text AND ordering_key = @key::text AND state IN ('waiting', 'claimed') AND ordering_key <> '')

-- name: promote_group
-- Does what promote does, for many ordering keys.
UPDATE hookhouse_deliveries SET state = 'waiting'
WHERE id = ANY (ARRAY(
  SELECT CASE WHEN (
    SELECT d.id FROM hookhouse_deliveries d WHERE d.source = k.source AND d.ordering_key = k.ordering_key AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '' LIMIT 1
  ) IS NULL THEN coalesce(
    (SELECT d.id FROM hookhouse_deliveries d WHERE d.source = k.source AND d.ordering_key = k.ordering_key AND d.state = 'blocked' AND d.retry_out_of_order = 1 AND d.due_at <= @now ORDER BY d.due_at, d.id LIMIT 1),
    (SELECT d.id FROM hookhouse_deliveries d WHERE d.source = k.source AND d.ordering_key = k.ordering_key AND d.state = 'blocked' AND d.retry_out_of_order = 0 ORDER BY d.id LIMIT 1),
    (SELECT d.id FROM hookhouse_deliveries d WHERE d.source = k.source AND d.ordering_key = k.ordering_key AND d.state = 'blocked' AND d.retry_out_of_order = 1 ORDER BY d.due_at, d.id LIMIT 1)) END
  FROM jsonb_to_recordset(@keys::text::jsonb) AS k(source text, ordering_key text)))
AND state || '' = 'blocked'

-- name: superseded_claims
-- Finds claims whose leases have run out while a newer delivery of their burst waits.
WITH RECURSIVE c(type) AS (
  SELECT (SELECT type FROM hookhouse_deliveries WHERE state = 'claimed' ORDER BY type LIMIT 1) WHERE @any::int = 1
  UNION ALL
  SELECT (SELECT d.type FROM hookhouse_deliveries d WHERE d.state = 'claimed' AND d.type > c.type ORDER BY d.type LIMIT 1) FROM c WHERE c.type IS NOT NULL
), t(type) AS (
  SELECT jsonb_array_elements_text(@types::text::jsonb) UNION SELECT type FROM c
)
SELECT d.uid, d.fence, d.source, d.ordering_key FROM t CROSS JOIN LATERAL (
  SELECT c.id, c.uid, c.fence, c.source, c.ordering_key, c.type FROM hookhouse_deliveries c
  WHERE c.type = t.type AND c.state = 'claimed' AND c.lease_expires_at <= @now AND c.ordering_key <> ''
    AND c.uid <> ALL (ARRAY(SELECT jsonb_array_elements_text(@except::text::jsonb))) LIMIT 100
) d
WHERE (SELECT b.id FROM hookhouse_deliveries b
  WHERE b.source = d.source AND b.ordering_key = d.ordering_key AND b.type = d.type AND b.state = 'blocked' AND b.coalesce_quiet_us > 0 AND b.id > d.id
  ORDER BY b.coalesce_quiet_us LIMIT 1) IS NOT NULL
LIMIT 100

-- name: supersede_claim
-- It leaves out a row that another transaction holds.
UPDATE hookhouse_deliveries SET state = 'superseded', finished_at = @now
WHERE id = (SELECT id FROM hookhouse_deliveries WHERE uid = @uid::text FOR UPDATE SKIP LOCKED)
  AND fence = @fence::bigint AND state = 'claimed' AND lease_expires_at <= @now

-- name: claim
-- Claims the oldest that are due: of @types, or of all types if @any is set, without
-- those that are paused, and live ones before replayed ones. It claims as many as @bytes
-- allows, but always one if @first is set. It looks up one by one the types of what is
-- waiting or claimed, and leaves out what superseded_claims finds.
--
-- The limit of 256, the largest n, is for the planner. It takes a limit by an argument
-- for a tenth of all that waits, and if many wait it would have the statement compiled
-- at each call. The limit by n is the inner one, since each row that it lets through is
-- locked.
--
-- A claim that is lost by this becomes an attempt. Rows of other claims, and runs that
-- are not counted, have no uid in picked.
--
-- The claims are committed with this statement: one after it that failed would leave
-- them to nobody until their leases run out. So trimmed does what trim_attempts does.
WITH RECURSIVE w(type) AS (
  SELECT (SELECT type FROM hookhouse_deliveries WHERE state = 'waiting' ORDER BY type LIMIT 1) WHERE @any::int = 1
  UNION ALL
  SELECT (SELECT d.type FROM hookhouse_deliveries d WHERE d.state = 'waiting' AND d.type > w.type ORDER BY d.type LIMIT 1) FROM w WHERE w.type IS NOT NULL
), c(type) AS (
  SELECT (SELECT type FROM hookhouse_deliveries WHERE state = 'claimed' ORDER BY type LIMIT 1) WHERE @any::int = 1
  UNION ALL
  SELECT (SELECT d.type FROM hookhouse_deliveries d WHERE d.state = 'claimed' AND d.type > c.type ORDER BY d.type LIMIT 1) FROM c WHERE c.type IS NOT NULL
), arg AS MATERIALIZED (
  SELECT @now AS now, @lease::bigint AS lease, @n::int AS n,
    ARRAY(SELECT jsonb_array_elements_text(@types::text::jsonb) UNION SELECT type FROM w UNION SELECT type FROM c) AS types,
    ARRAY(SELECT jsonb_array_elements_text(@except::text::jsonb)) AS except, ARRAY(SELECT type FROM hookhouse_pauses) AS paused
), picked AS MATERIALIZED (
  SELECT c.* FROM arg CROSS JOIN LATERAL unnest(arg.types) AS t(type) CROSS JOIN (VALUES (0), (1)) AS r(replayed)
  CROSS JOIN LATERAL (
    (SELECT w.id, r.replayed, w.since, w.size, NULL::text AS uid, 0 AS fence, 0 AS attempt, 0 AS claimed_at, NULL::text AS claimed_by FROM (
      SELECT w.id, w.due_at AS since, CASE WHEN w.lost_claims < 2 THEN w.size ELSE 0 END AS size FROM hookhouse_deliveries w
      WHERE w.state = 'waiting' AND w.type = t.type AND w.replayed = r.replayed AND w.due_at <= arg.now AND w.uid <> ALL (arg.except)
      ORDER BY w.due_at, w.id LIMIT arg.n FOR UPDATE SKIP LOCKED) w LIMIT 256)
    UNION ALL
    (SELECT * FROM (SELECT e.id, r.replayed, e.lease_expires_at, CASE WHEN e.lost_claims < 1 THEN e.size ELSE 0 END,
        CASE WHEN e.lost_claims < 2 OR e.begun_fence = e.fence THEN e.uid END, e.fence, e.attempt, e.claimed_at, e.claimed_by FROM hookhouse_deliveries e
      WHERE e.state = 'claimed' AND e.type = t.type AND e.replayed = r.replayed AND e.lease_expires_at <= arg.now AND e.uid <> ALL (arg.except)
        AND (e.ordering_key = '' OR (SELECT b.id FROM hookhouse_deliveries b
          WHERE b.source = e.source AND b.ordering_key = e.ordering_key AND b.type = e.type AND b.state = 'blocked' AND b.coalesce_quiet_us > 0 AND b.id > e.id
          ORDER BY b.coalesce_quiet_us LIMIT 1) IS NULL)
      ORDER BY e.lease_expires_at LIMIT arg.n FOR UPDATE SKIP LOCKED) e LIMIT 256)
  ) c
  WHERE t.type <> ALL (arg.paused) AND '' <> ALL (arg.paused)
  ORDER BY c.replayed, c.since, c.id LIMIT (SELECT n FROM arg)
), bounded AS MATERIALIZED (
  SELECT * FROM (
    SELECT *, row_number() OVER w AS place, sum(size) OVER w AS total FROM picked WINDOW w AS (ORDER BY replayed, since, id)
  ) p WHERE place = 1 AND @first::int = 1 OR total <= @bytes::bigint
), lost AS (
  INSERT INTO hookhouse_attempts (uid, fence, number, started_at, took_us, state, lost, reason, claimed_by)
  SELECT b.uid, b.fence, b.attempt, b.claimed_at, greatest(arg.now - b.claimed_at, 0), 'waiting', 1, '', b.claimed_by
  FROM arg, bounded b WHERE b.uid IS NOT NULL
  ON CONFLICT (uid, fence) DO NOTHING
), trimmed AS (
  DELETE FROM hookhouse_attempts WHERE ctid = ANY (ARRAY(
    SELECT a.place FROM bounded b CROSS JOIN LATERAL (
      SELECT a.ctid AS place FROM hookhouse_attempts a WHERE a.uid = b.uid ORDER BY a.fence DESC LIMIT 100 OFFSET 19
    ) a WHERE b.uid IS NOT NULL AND b.fence > 20))
)
UPDATE hookhouse_deliveries d
SET due_at = CASE d.state WHEN 'claimed' THEN d.lease_expires_at ELSE d.due_at END,
  lost_claims = d.lost_claims + (d.state = 'claimed')::int,
  attempt = d.attempt + (d.lost_claims + (d.state = 'claimed')::int < 2)::int,
  state = 'claimed', fence = d.fence + 1, lease_expires_at = (SELECT now + lease FROM arg),
  claimed_at = (SELECT now FROM arg), claimed_by = @by::text
WHERE d.id = ANY (ARRAY(SELECT id FROM bounded))
RETURNING d.id, d.replayed, d.due_at, d.attempt, d.lost_claims, d.crashes, d.reason, d.fence, d.lease_expires_at, false,
  d.uid, d.source, d.sender_id, d.type, d.ordering_key, d.key_label, d.received_at, d.coalesce_quiet_us, d.coalesce_max_us, d.size,
  CASE WHEN d.lost_claims < 2 THEN (SELECT b.envelope FROM hookhouse_bodies b WHERE b.id = d.id) END,
  CASE WHEN d.lost_claims < 2 THEN (SELECT b.body FROM hookhouse_bodies b WHERE b.id = d.id) END

-- name: insert_lost_attempt
-- The statement claim does this.

-- name: reclaim
-- The statement claim does this.

-- name: insert_attempt
-- Keeps the run of a claim that is about to end, or has just been superseded. The run
-- of a suspect counts once it has begun. The row stays locked, so that no other
-- transaction ends the claim.
INSERT INTO hookhouse_attempts (uid, fence, number, started_at, took_us, state, lost, reason, claimed_by)
SELECT d.uid, d.fence, d.attempt, d.claimed_at, greatest(@now - d.claimed_at, 0),
  CASE WHEN @state::text = 'waiting' AND d.ordering_key <> '' AND (SELECT b.id FROM hookhouse_deliveries b
      WHERE b.source = d.source AND b.ordering_key = d.ordering_key AND b.type = d.type AND b.state = 'blocked' AND b.coalesce_quiet_us > 0 AND b.id > d.id
      ORDER BY b.coalesce_quiet_us LIMIT 1) IS NOT NULL THEN 'superseded' ELSE @state::text END,
  @lost::int, @reason::text, d.claimed_by
FROM (SELECT * FROM hookhouse_deliveries WHERE uid = @uid::text AND fence = @fence::bigint FOR UPDATE) d
WHERE d.state = @current::text AND (d.lost_claims < 2 OR d.begun_fence = d.fence)
ON CONFLICT (uid, fence) DO NOTHING

-- name: trim_attempts
-- Deletes all but the newest 20 of a delivery.
DELETE FROM hookhouse_attempts WHERE uid = @uid::text AND fence <= (
  SELECT fence FROM hookhouse_attempts WHERE uid = @uid::text ORDER BY fence DESC LIMIT 1 OFFSET 20)

-- name: attempts
SELECT number, started_at, took_us, state, lost, reason, claimed_by FROM hookhouse_attempts WHERE uid = @uid::text ORDER BY fence

-- name: content
-- Reads the content of a claim. There is no row if the claim is not held.
SELECT b.envelope, b.body FROM hookhouse_deliveries d LEFT JOIN hookhouse_bodies b ON b.id = d.id
WHERE d.uid = @uid::text AND d.fence = @fence::bigint AND d.state = 'claimed'

-- name: begin_run
-- Counts the run of a suspect, once for each claim.
UPDATE hookhouse_deliveries
SET attempt = attempt + (lost_claims >= 2 AND begun_fence <> fence)::int, crashes = crashes + (lost_claims >= 2 AND begun_fence <> fence)::int, begun_fence = fence
WHERE uid = @uid::text AND fence = @fence::bigint AND state = 'claimed'
RETURNING attempt

-- name: extend
UPDATE hookhouse_deliveries SET lease_expires_at = @now + @lease::bigint
WHERE uid = @uid::text AND fence = @fence::bigint AND state = 'claimed'

-- name: settle
UPDATE hookhouse_deliveries
SET state = @state::text, reason = @reason::text, finished_at = @now, settled_fence = fence, lost_claims = 0, crashes = 0
WHERE uid = @uid::text AND fence = @fence::bigint AND state = 'claimed' AND source = @source::text AND ordering_key = @key::text

-- name: claimed_key
SELECT source, ordering_key FROM hookhouse_deliveries WHERE uid = @uid::text AND fence = @fence::bigint AND state = 'claimed'

-- name: settle_group
-- Settles many claims as done. It leaves out those that another transaction holds, and
-- those with an ordering key unless @keyed is set.
WITH arg AS MATERIALIZED (
  SELECT @claims::text::jsonb AS claims, set_config('lock_timeout', @wait::text, true) AS waits
)
UPDATE hookhouse_deliveries
SET state = 'done', reason = '', finished_at = @now, settled_fence = fence, lost_claims = 0, crashes = 0
WHERE id = ANY (ARRAY(
  SELECT d.id FROM arg, jsonb_to_recordset(arg.claims) AS c(uid text, fence bigint) CROSS JOIN LATERAL (
    SELECT d.id FROM hookhouse_deliveries d
    WHERE d.uid = c.uid AND d.fence = c.fence AND d.state || '' = 'claimed' AND (@keyed::int = 1 OR d.ordering_key = '') LIMIT 1
    FOR UPDATE SKIP LOCKED
  ) d))
RETURNING uid, fence, source, ordering_key

-- name: lock_claim
SELECT 1 FROM hookhouse_deliveries WHERE uid = @uid::text AND fence = @fence::bigint AND state = 'claimed' FOR UPDATE

-- name: retry
-- Ends a claim whose delivery runs again. A suspect whose run has not begun stays one,
-- and so does a delivery that is released, since its claim was lost.
UPDATE hookhouse_deliveries d
SET state = CASE
    WHEN d.ordering_key = '' THEN 'waiting'
    WHEN (SELECT b.id FROM hookhouse_deliveries b
      WHERE b.source = d.source AND b.ordering_key = d.ordering_key AND b.type = d.type AND b.state = 'blocked' AND b.coalesce_quiet_us > 0 AND b.id > d.id
      ORDER BY b.coalesce_quiet_us LIMIT 1) IS NOT NULL THEN 'superseded'
    WHEN @yield::int = 1 THEN 'blocked'
    ELSE 'waiting' END,
  due_at = @now + @delay::bigint, retry_out_of_order = @yield::int, lease_expires_at = 0,
  reason = CASE WHEN @reason::text = '' THEN d.reason ELSE @reason::text END,
  attempt = d.attempt - CASE WHEN @uncounted::int = 1 AND (d.lost_claims < 2 OR d.begun_fence = d.fence) THEN 1 ELSE 0 END,
  lost_claims = CASE WHEN @released::int = 1 OR @uncounted::int = 1 AND d.lost_claims >= 2 AND d.begun_fence <> d.fence THEN d.lost_claims ELSE 0 END,
  crashes = CASE WHEN @released::int = 1 OR @uncounted::int = 1 AND d.lost_claims >= 2 AND d.begun_fence <> d.fence THEN d.crashes ELSE 0 END,
  settled_fence = d.fence
WHERE d.uid = @uid::text AND d.fence = @fence::bigint AND d.state = 'claimed'
RETURNING d.state, d.source, d.ordering_key

-- name: end
UPDATE hookhouse_deliveries SET finished_at = @now WHERE uid = @uid::text

-- name: settled
-- The state that a claim led to that was settled before. A delivery that was claimed
-- again since was waiting after that.
SELECT CASE WHEN fence > settled_fence OR state = 'blocked' THEN 'waiting' ELSE state END FROM hookhouse_deliveries
WHERE uid = @uid::text AND settled_fence = @fence::bigint

-- name: replicate
-- Makes the commit of this transaction wait for the standby, even if it only finds
-- duplicates: what it has seen may be committed and not replicated. Without a write, a
-- commit waits for nothing. It fails as insert does if there is no synchronous standby.
SELECT CASE
  WHEN current_setting('synchronous_standby_names') = '' THEN set_config('synchronous_standby_names', '', true)
  WHEN current_setting('synchronous_commit') NOT IN ('on', 'remote_apply') THEN set_config('synchronous_commit', 'on', true) END,
  pg_logical_emit_message(true, 'hookhouse', '')::text

-- name: isolation
SELECT current_setting('transaction_isolation')

-- name: default_isolation
SELECT current_setting('default_transaction_isolation')

-- name: stuck_keys
-- The next @n ordering keys that have blocked deliveries, and whether the key has no
-- head, which it must have.
WITH RECURSIVE k(source, ordering_key) AS (
  (SELECT source, ordering_key FROM hookhouse_deliveries
   WHERE state = 'blocked' AND (source, ordering_key) > (@source::text COLLATE "C", @key::text COLLATE "C") ORDER BY source, ordering_key LIMIT 1)
  UNION ALL
  SELECT n.source, n.ordering_key FROM k CROSS JOIN LATERAL (
    SELECT d.source, d.ordering_key FROM hookhouse_deliveries d
    WHERE d.state = 'blocked' AND (d.source, d.ordering_key) > (k.source, k.ordering_key) ORDER BY d.source, d.ordering_key LIMIT 1
  ) n
)
SELECT k.source, k.ordering_key, NOT EXISTS (
  SELECT 1 FROM hookhouse_deliveries d
  WHERE d.source = k.source AND d.ordering_key = k.ordering_key AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '' LIMIT 1)
FROM k LIMIT @n::int

-- name: find
SELECT id, coalesce(first_id, id), state, source, ordering_key, coalesce_quiet_us, coalesce_max_us, sender_id, revivals, type FROM hookhouse_deliveries WHERE uid = @uid::text FOR UPDATE

-- name: try_find
-- Does what find does without waiting. The id is 0 if another transaction holds the row.
WITH found AS MATERIALIZED (
  SELECT id, coalesce(first_id, id), state, source, ordering_key, coalesce_quiet_us, coalesce_max_us, sender_id, revivals, type FROM hookhouse_deliveries WHERE uid = @uid::text
  FOR UPDATE SKIP LOCKED
)
SELECT * FROM found
UNION ALL
SELECT 0, 0, state, source, ordering_key, coalesce_quiet_us, coalesce_max_us, sender_id, revivals, type FROM hookhouse_deliveries
WHERE uid = @uid::text AND NOT EXISTS (SELECT 1 FROM found)

-- name: newer
-- How many unfinished deliveries of its type were acknowledged after the first run of
-- this one.
SELECT count(*) FROM hookhouse_deliveries
WHERE coalesce(first_id, id) > @origin::bigint AND id = ANY (ARRAY(
  SELECT id FROM hookhouse_deliveries WHERE source = @source::text AND ordering_key = @key::text AND ordering_key <> '' AND state IN ('waiting', 'claimed') AND type || '' = @type::text
  UNION ALL
  (SELECT id FROM hookhouse_deliveries WHERE source = @source::text AND ordering_key = @key::text AND type = @type::text AND state = 'blocked' ORDER BY coalesce_quiet_us)))

-- name: restart
-- The commit of this acknowledges a redelivery, so it must be durable.
WITH arg AS MATERIALIZED (
  SELECT nextval('hookhouse_ids') AS id, @now AS now, @pause::bigint AS pause, least(@now, @burst::bigint) AS burst_started_at,
    CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN set_config('synchronous_commit', 'on', true) END AS done
)
UPDATE hookhouse_deliveries
SET id = (SELECT id FROM arg), first_id = coalesce(first_id, id),
  state = CASE WHEN ordering_key = '' THEN 'waiting' ELSE 'blocked' END,
  attempt = 0, lost_claims = 0, crashes = 0, retry_out_of_order = 0, finished_at = NULL, lease_expires_at = 0, revivals = revivals + @revived::int, replayed = @replayed::int,
  burst_started_at = (SELECT burst_started_at FROM arg),
  due_at = (SELECT pause FROM arg) + CASE WHEN coalesce_quiet_us = 0 THEN (SELECT now FROM arg)
    WHEN coalesce_max_us > 0 THEN least((SELECT now FROM arg) + coalesce_quiet_us, (SELECT burst_started_at FROM arg) + coalesce_max_us)
    ELSE (SELECT now FROM arg) + coalesce_quiet_us END
WHERE uid = @uid::text
RETURNING id

-- name: move_body
UPDATE hookhouse_bodies SET id = @id::bigint WHERE id = @old::bigint

-- name: release
UPDATE hookhouse_deliveries SET due_at = @now, retry_out_of_order = 0, replayed = 0 WHERE uid = @uid::text AND state || '' = 'waiting'

-- name: release_key
-- Makes the head of an ordering key due now if it is not claimed. One that is due keeps
-- its time, and so its place.
UPDATE hookhouse_deliveries SET due_at = least(due_at, @now), retry_out_of_order = 0, replayed = 0
WHERE id = (SELECT id FROM hookhouse_deliveries WHERE source = @source::text AND ordering_key = @key::text AND state IN ('waiting', 'claimed') AND ordering_key <> '')
  AND state || '' = 'waiting'

-- name: head_state
SELECT state FROM hookhouse_deliveries WHERE source = @source::text AND ordering_key = @key::text AND state IN ('waiting', 'claimed') AND ordering_key <> '' LIMIT 1

-- name: is_blocked_retry
SELECT count(*) FROM hookhouse_deliveries WHERE uid = @uid::text AND state || '' = 'blocked' AND retry_out_of_order = 1

-- name: release_blocked
-- Makes a blocked retry one that runs before all that are younger.
UPDATE hookhouse_deliveries SET due_at = @now, retry_out_of_order = 0, replayed = 0 WHERE uid = @uid::text AND state || '' = 'blocked' AND retry_out_of_order = 1

-- name: demote_for_released
-- Blocks the head of an ordering key if it is not claimed and is younger than the
-- delivery with the uid, or lets younger ones run before its retry.
UPDATE hookhouse_deliveries SET state = 'blocked'
WHERE id = (SELECT id FROM hookhouse_deliveries WHERE source = @source::text AND ordering_key = @key::text AND state IN ('waiting', 'claimed') AND ordering_key <> '')
AND state || '' = 'waiting' AND (retry_out_of_order = 1 OR id > (SELECT id FROM hookhouse_deliveries WHERE uid = @uid::text))

-- name: bury
-- The higher fence keeps what the last claim led to; see settled.
UPDATE hookhouse_deliveries
SET state = 'dead', reason = @reason::text, finished_at = @now, fence = fence + (fence > 0)::int, lost_claims = 0, crashes = 0, retry_out_of_order = 0
WHERE uid = @uid::text AND state || '' IN ('waiting', 'blocked') AND source = @source::text AND ordering_key = @key::text

-- name: give_up
-- Ends some deliveries of an ordering key and returns the type of each. The higher fence is as in bury.
UPDATE hookhouse_deliveries
SET state = @state::text, reason = @reason::text, finished_at = @now, fence = fence + (fence > 0)::int, lost_claims = 0, crashes = 0, retry_out_of_order = 0
WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text(@ids::text::jsonb)::bigint)) AND state || '' IN ('waiting', 'blocked')
  AND source = @source::text AND ordering_key = @key::text RETURNING type

-- name: pause
INSERT INTO hookhouse_pauses (type, paused_at, who, why) VALUES (@type::text, @now, @who::text, @why::text) ON CONFLICT (type) DO NOTHING

-- name: resume
DELETE FROM hookhouse_pauses WHERE type = @type::text RETURNING paused_at, who

-- name: pauses
-- The pauses in force, with how many deliveries are blocked by one of the type.
WITH blocked AS MATERIALIZED (
  SELECT h.type, count(*) AS n FROM (
    SELECT source, ordering_key FROM hookhouse_deliveries WHERE state = 'blocked' AND EXISTS (SELECT 1 FROM hookhouse_pauses)
  ) b CROSS JOIN LATERAL (
    SELECT h.type FROM hookhouse_deliveries h
    WHERE h.source = b.source AND h.ordering_key = b.ordering_key AND h.state IN ('waiting', 'claimed') AND h.ordering_key <> '' LIMIT 1
  ) h GROUP BY h.type
)
SELECT p.type, p.paused_at, p.who, p.why, (SELECT coalesce(sum(b.n), 0)::bigint FROM blocked b WHERE p.type IN (b.type, ''))
FROM hookhouse_pauses p ORDER BY p.type

-- name: cursor
SELECT value FROM hookhouse_cursors WHERE name = @name::text

-- name: insert_cursor
INSERT INTO hookhouse_cursors (name, value, set_at) VALUES (@name, @to, @now) ON CONFLICT (name) DO NOTHING

-- name: move_cursor
UPDATE hookhouse_cursors SET value = @to, set_at = @now WHERE name = @name::text AND value = @from::text

-- name: delete_cursor
DELETE FROM hookhouse_cursors WHERE name = @name::text AND value = @from::text

-- name: known
-- The places of the dedup keys that are known. @hashes has 16 bytes for each key. The keys
-- are looked up one by one, so that no plan reads all keys.
SELECT k.place FROM generate_series(0, length(@hashes::bytea) / 16 - 1) AS k(place)
CROSS JOIN LATERAL (
  SELECT m.seen_at FROM hookhouse_dedup_keys m WHERE m.hash = substr(@hashes::bytea, k.place * 16 + 1, 16) LIMIT 1
) m
WHERE m.seen_at >= @now - @window::bigint

-- name: release_claim
-- Ends the claim of a worker that does not come back. What that worker settles later
-- is no claim any more. The claim counts as lost, as if its lease had run out.
UPDATE hookhouse_deliveries SET fence = fence + 1, lost_claims = lost_claims + 1, replayed = 0
WHERE uid = @uid::text AND fence = @fence::bigint AND state = 'claimed'

-- name: replayed
INSERT INTO hookhouse_replays (uid, replayed_at, who, why, previous_state) VALUES (@uid::text, @now, @who::text, @why::text, @was::text)

-- name: replay
-- Restarts many by one statement, which holds their ordering keys only while it runs.
-- The n-th, from zero, is due after @done + n times @every.
-- Each row has what became of one: "done"; "again" if another transaction holds the
-- key; "alone" if it takes more than one statement. A delivery without a row cannot be
-- replayed.
--
-- A delivery that another transaction has replayed since it was found has another id than
-- in @ids, and so no row. If that happens while this statement runs, it is "again".
WITH arg AS MATERIALIZED (
  SELECT @now AS now, @uids::text::jsonb AS uids, @ids::text::jsonb AS ids, @done::bigint AS done_before, @every::bigint AS every,
    CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN set_config('synchronous_commit', 'on', true) END AS done,
    set_config('lock_timeout', @wait::text, true) AS waits
), asked AS MATERIALIZED (
  SELECT u.uid, u.n, s.id, s.source, s.ordering_key, bool_or(s.coalesce_quiet_us > 0 AND s.ordering_key <> '') OVER (PARTITION BY s.source, s.ordering_key) AS coalesces
  FROM arg CROSS JOIN LATERAL jsonb_array_elements_text(arg.uids) WITH ORDINALITY AS u(uid, n)
  CROSS JOIN LATERAL (
    SELECT * FROM hookhouse_deliveries d
    WHERE d.uid = u.uid AND d.id = (arg.ids ->> (u.n - 1)::int)::bigint AND d.state IN ('done', 'dead', 'superseded', 'ignored') LIMIT 1
  ) s
), finished AS MATERIALIZED (
  SELECT a.n, a.coalesces, d.id, d.uid, d.source, d.ordering_key, d.state FROM asked a CROSS JOIN LATERAL (
    SELECT * FROM hookhouse_deliveries d
    WHERE d.uid = a.uid AND d.id = a.id AND d.state IN ('done', 'dead', 'superseded', 'ignored') LIMIT 1
    FOR UPDATE SKIP LOCKED
  ) d
), heads AS MATERIALIZED (
  SELECT k.source, k.ordering_key, l.passes, CASE
    WHEN l.id IS NOT NULL THEN 'head'
    WHEN h.id IS NOT NULL THEN 'held'
    WHEN pg_try_advisory_xact_lock(hashtextextended(k.source || E'\x1f' || k.ordering_key, 'hookhouse_deliveries'::regclass::oid::bigint)) THEN 'none'
    ELSE 'held' END AS state
  FROM arg CROSS JOIN (SELECT DISTINCT source, ordering_key FROM finished WHERE ordering_key <> '' AND NOT coalesces ORDER BY 1, 2) k
  LEFT JOIN LATERAL (
    SELECT d.id, d.state = 'waiting' AND d.retry_out_of_order = 1 AND d.due_at > arg.now AS passes FROM hookhouse_deliveries d
    WHERE d.source = k.source AND d.ordering_key = k.ordering_key AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '' LIMIT 1
    FOR UPDATE SKIP LOCKED
  ) l ON true LEFT JOIN LATERAL (
    SELECT d.id FROM hookhouse_deliveries d
    WHERE l.id IS NULL AND d.source = k.source AND d.ordering_key = k.ordering_key AND d.state IN ('waiting', 'claimed') AND d.ordering_key <> '' LIMIT 1
  ) h ON true
), fresh AS MATERIALIZED (
  SELECT o.*, nextval('hookhouse_ids') AS fresh_id FROM (
    SELECT f.id, f.uid, f.ordering_key, f.state AS previous_state, coalesce(h.state = 'head', false) AS headed,
      row_number() OVER (PARTITION BY f.source, f.ordering_key ORDER BY f.n) AS place, row_number() OVER (ORDER BY f.n) - 1 AS nth
    FROM finished f LEFT JOIN heads h ON h.source = f.source AND h.ordering_key = f.ordering_key
    WHERE NOT f.coalesces AND (f.ordering_key = '' OR (h.state <> 'held' AND h.passes IS NOT TRUE))
    ORDER BY f.n
  ) o
), bodies AS (
  UPDATE hookhouse_bodies b SET id = (SELECT f.fresh_id FROM fresh f WHERE f.id = b.id)
  WHERE b.id = ANY (ARRAY(SELECT id FROM fresh))
), recorded AS (
  INSERT INTO hookhouse_replays (uid, replayed_at, who, why, previous_state) SELECT f.uid, arg.now, @who::text, @why::text, f.previous_state FROM arg, fresh f
), restarted AS (
  UPDATE hookhouse_deliveries d
  SET id = (SELECT f.fresh_id FROM fresh f WHERE f.id = d.id), first_id = coalesce(d.first_id, d.id),
    state = (SELECT CASE WHEN f.ordering_key = '' OR (f.place = 1 AND NOT f.headed) THEN 'waiting' ELSE 'blocked' END FROM fresh f WHERE f.id = d.id),
    attempt = 0, lost_claims = 0, crashes = 0, retry_out_of_order = 0, finished_at = NULL, lease_expires_at = 0, burst_started_at = (SELECT now FROM arg), replayed = 1,
    due_at = (SELECT arg.now + (arg.done_before + f.nth) * arg.every FROM arg, fresh f WHERE f.id = d.id) + CASE WHEN d.coalesce_max_us > 0 THEN least(d.coalesce_quiet_us, d.coalesce_max_us) ELSE d.coalesce_quiet_us END
  WHERE d.id = ANY (ARRAY(SELECT id FROM fresh))
  RETURNING d.uid
)
SELECT uid, 'done' AS fate FROM restarted
UNION ALL
SELECT a.uid, CASE WHEN a.coalesces OR h.passes THEN 'alone' ELSE 'again' END
FROM asked a LEFT JOIN heads h ON h.source = a.source AND h.ordering_key = a.ordering_key
WHERE NOT EXISTS (SELECT 1 FROM fresh f WHERE f.uid = a.uid)

-- name: replays
SELECT replayed_at, who, why, previous_state FROM hookhouse_replays WHERE uid = @uid::text ORDER BY replayed_at

-- name: last
SELECT coalesce(max(id), 0) FROM hookhouse_deliveries

-- name: finished
-- Deliveries that were finished longer ago than @age: dead ones if @dead is set, or
-- else all others.
WITH picked AS MATERIALIZED (
  SELECT d.id, coalesce(d.first_id, d.id) AS first, d.uid, d.source, d.state, d.sender_id, d.size, d.finished_at FROM hookhouse_deliveries d
  WHERE d.finished_at IS NOT NULL AND d.state <> 'dead' AND d.finished_at < @now - @age::bigint AND @dead::int = 0
  ORDER BY d.finished_at LIMIT @n::int FOR UPDATE SKIP LOCKED
), dead AS MATERIALIZED (
  SELECT d.id, coalesce(d.first_id, d.id) AS first, d.uid, d.source, d.state, d.sender_id, d.size, d.finished_at FROM hookhouse_deliveries d
  WHERE d.finished_at IS NOT NULL AND d.state = 'dead' AND d.finished_at < @now - @age::bigint AND @dead::int = 1
  ORDER BY d.finished_at LIMIT @n::int FOR UPDATE SKIP LOCKED
)
SELECT id, first, uid, source, state, sender_id, envelope FROM (
  SELECT p.*, b.envelope, row_number() OVER w AS place, sum(p.size + coalesce(octet_length(b.envelope), 0)) OVER w AS total
  FROM (SELECT * FROM picked UNION ALL SELECT * FROM dead) p
  LEFT JOIN LATERAL (SELECT envelope FROM hookhouse_bodies b WHERE b.id = p.id LIMIT 1) b ON true
  WINDOW w AS (ORDER BY p.finished_at, p.id)
) e WHERE place = 1 OR total <= @bytes::bigint

-- name: finished_ids
-- Those of some deliveries that are finished. It leaves out what another transaction holds.
WITH picked AS MATERIALIZED (
  SELECT d.id, coalesce(d.first_id, d.id) AS first, d.uid, d.source, d.state, d.sender_id, d.size FROM hookhouse_deliveries d
  WHERE d.id = ANY (ARRAY(SELECT jsonb_array_elements_text(@ids::text::jsonb)::bigint)) AND d.state || '' IN ('done', 'dead', 'superseded', 'ignored')
  ORDER BY d.id FOR UPDATE SKIP LOCKED
)
SELECT id, first, uid, source, state, sender_id, envelope FROM (
  SELECT p.*, b.envelope, row_number() OVER w AS place, sum(p.size + coalesce(octet_length(b.envelope), 0)) OVER w AS total
  FROM picked p LEFT JOIN LATERAL (SELECT envelope FROM hookhouse_bodies b WHERE b.id = p.id LIMIT 1) b ON true
  WINDOW w AS (ORDER BY p.id)
) e WHERE place = 1 OR total <= @bytes::bigint

-- name: locked_ids
-- How many of some deliveries are finished and not deleted.
SELECT count(*) FROM hookhouse_deliveries
WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text(@ids::text::jsonb)::bigint)) AND state || '' IN ('done', 'dead', 'superseded', 'ignored')

-- name: expiring_dead
-- How many dead letters are older than @age, by type.
SELECT type, count(*) FROM hookhouse_deliveries
WHERE finished_at IS NOT NULL AND state = 'dead' AND finished_at < @now - @age::bigint GROUP BY type ORDER BY type

-- name: keep_last_state
-- Keeps the last state of deliveries with their dedup keys, before they are deleted.
WITH last AS MATERIALIZED (
  SELECT f.id, f.uid, f.state, f.sender_id, substring(@hashes::bytea FROM f.n * 16 + 1 FOR 16) AS hash
  FROM jsonb_to_recordset(@states::text::jsonb) AS f(n int, id bigint, uid text, state text, sender_id text)
), hit AS MATERIALIZED (
  SELECT m.place, f.uid, f.state, f.sender_id FROM last f CROSS JOIN LATERAL (
    SELECT m.ctid AS place FROM hookhouse_dedup_keys m WHERE m.hash = f.hash AND m.delivery_id = f.id LIMIT 1 FOR UPDATE
  ) m
)
UPDATE hookhouse_dedup_keys SET (delivery_id, uid, state, sender_id) = (
  SELECT NULL::bigint, h.uid, h.state, h.sender_id FROM hit h WHERE h.place = hookhouse_dedup_keys.ctid LIMIT 1)
WHERE ctid = ANY (ARRAY(SELECT place FROM hit))

-- name: keep_unread_state
-- Does what keep_last_state does, for deliveries whose envelopes cannot be read. It
-- reads all dedup keys.
WITH last AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset(@states::text::jsonb) AS f(id bigint, uid text, state text, sender_id text)
)
UPDATE hookhouse_dedup_keys SET (delivery_id, uid, state, sender_id) = (
  SELECT NULL::bigint, f.uid, f.state, f.sender_id FROM last f WHERE f.id = hookhouse_dedup_keys.delivery_id)
WHERE delivery_id = ANY (ARRAY(SELECT id FROM last))

-- name: delete_last_state
DELETE FROM hookhouse_dedup_keys WHERE uid = @uid::text AND hash = ANY (ARRAY(
  SELECT substring(@hashes::bytea FROM u.n * 16 + 1 FOR 16) FROM generate_series(0, (SELECT octet_length(@hashes::bytea) / 16 - 1)) AS u(n)))

-- name: delete_bodies
DELETE FROM hookhouse_bodies WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text(@ids::text::jsonb)::bigint))

-- name: delete_replays
DELETE FROM hookhouse_replays WHERE uid IN (
  SELECT uid FROM hookhouse_deliveries WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text(@ids::text::jsonb)::bigint)))

-- name: delete_attempts
DELETE FROM hookhouse_attempts WHERE uid IN (
  SELECT uid FROM hookhouse_deliveries WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text(@ids::text::jsonb)::bigint)))

-- name: delete_deliveries
DELETE FROM hookhouse_deliveries WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text(@ids::text::jsonb)::bigint))

-- name: dedup_key_page
-- delete_dedup_keys finds them by their time.

-- name: restamp_dedup_keys
-- All have the time of the server.

-- name: delete_dedup_keys
-- Without the order, a plan for any window expects to find old keys wherever it looks,
-- and reads the whole table.
DELETE FROM hookhouse_dedup_keys WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM hookhouse_dedup_keys WHERE seen_at < @now - @window::bigint ORDER BY seen_at LIMIT @n::int FOR UPDATE SKIP LOCKED))

-- name: counts
SELECT type, state, count(*) FROM hookhouse_deliveries GROUP BY type, state

-- name: overview
-- How many deliveries have each state: no more than @most of each that is unfinished, of
-- dead ones, and of the others that are finished, of which these are the last ones.
-- Each is in the order of an index, so that this is read and not the table.
SELECT state, count(*) FROM (
  SELECT * FROM (SELECT state FROM hookhouse_deliveries WHERE state = 'waiting' ORDER BY type, replayed, due_at, id LIMIT @most) AS w
  UNION ALL SELECT * FROM (SELECT state FROM hookhouse_deliveries WHERE state = 'blocked' ORDER BY source, ordering_key, retry_out_of_order, id LIMIT @most) AS b
  UNION ALL SELECT * FROM (SELECT state FROM hookhouse_deliveries WHERE state = 'claimed' ORDER BY type, lease_expires_at LIMIT @most) AS c
  UNION ALL SELECT * FROM (SELECT state FROM hookhouse_deliveries WHERE finished_at IS NOT NULL AND state = 'dead' ORDER BY finished_at DESC LIMIT @most) AS d
  UNION ALL SELECT * FROM (SELECT state FROM hookhouse_deliveries WHERE finished_at IS NOT NULL AND state <> 'dead' ORDER BY finished_at DESC LIMIT @most) AS f
) AS counted GROUP BY state

-- name: in_force
-- The pauses in force, without what they hold back.
SELECT type, paused_at, who, why, 0 FROM hookhouse_pauses ORDER BY type COLLATE "C"

-- name: oldest
-- By type, when the delivery that waits longest was due, or when the lease that ran
-- out first ended.
WITH RECURSIVE w(type) AS (
  SELECT (SELECT type FROM hookhouse_deliveries WHERE state = 'waiting' ORDER BY type LIMIT 1)
  UNION ALL
  SELECT (SELECT d.type FROM hookhouse_deliveries d WHERE d.state = 'waiting' AND d.type > w.type ORDER BY d.type LIMIT 1) FROM w WHERE w.type IS NOT NULL
), c(type) AS (
  SELECT (SELECT type FROM hookhouse_deliveries WHERE state = 'claimed' ORDER BY type LIMIT 1)
  UNION ALL
  SELECT (SELECT d.type FROM hookhouse_deliveries d WHERE d.state = 'claimed' AND d.type > c.type ORDER BY d.type LIMIT 1) FROM c WHERE c.type IS NOT NULL
), found(type, since) AS (
  SELECT w.type, (SELECT d.due_at FROM hookhouse_deliveries d WHERE d.state = 'waiting' AND d.type = w.type AND d.replayed = r.replayed ORDER BY d.due_at LIMIT 1)
  FROM w CROSS JOIN (VALUES (0), (1)) AS r(replayed) WHERE w.type IS NOT NULL
  UNION ALL
  SELECT c.type, (SELECT d.lease_expires_at FROM hookhouse_deliveries d WHERE d.state = 'claimed' AND d.type = c.type ORDER BY d.lease_expires_at LIMIT 1) FROM c WHERE c.type IS NOT NULL
)
SELECT type, min(since), @now FROM found WHERE since <= @now GROUP BY type

-- name: stale
SELECT count(*) FROM (
  SELECT 1 FROM hookhouse_deliveries
  WHERE source = @source::text AND ordering_key = @key::text AND state = 'done' AND ordering_key <> ''
    AND coalesce(first_id, id) > (SELECT coalesce(o.first_id, o.id) FROM hookhouse_deliveries o WHERE o.uid = @uid::text) LIMIT 1) s

-- name: has_tables
SELECT count(to_regclass('hookhouse_schema')::text)

-- name: has_origin
SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('hookhouse_deliveries') AND attname = 'origin'

-- name: contents
SELECT d.uid, b.envelope, b.body FROM hookhouse_deliveries d LEFT JOIN hookhouse_bodies b ON b.id = d.id
WHERE d.uid = ANY (ARRAY(SELECT jsonb_array_elements_text(@uids::text::jsonb)))

-- name: pending
SELECT count(*) FROM (
  SELECT 1 FROM hookhouse_deliveries WHERE state = 'waiting'
  UNION ALL SELECT 1 FROM hookhouse_deliveries WHERE state = 'blocked'
  UNION ALL SELECT 1 FROM hookhouse_deliveries WHERE state = 'claimed'
  LIMIT @most) AS unfinished
