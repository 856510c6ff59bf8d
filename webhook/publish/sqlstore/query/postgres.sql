-- The statements of the store for PostgreSQL. @name is an argument and becomes one $n.

-- name: lock_schema
-- Excludes others that migrate, until the end of the transaction.
SELECT pg_advisory_xact_lock(7741962880474)

-- name: has_tables
SELECT count(to_regclass('hookhouse_publish_schema')::text)

-- name: version
SELECT coalesce(max(version), 0) FROM hookhouse_publish_schema

-- name: sealed_by
SELECT sealed_by, count(*) FROM hookhouse_endpoints GROUP BY sealed_by

-- name: insert_endpoint
-- It waits for another transaction that has inserted the ID or the name.
INSERT INTO hookhouse_endpoints (id, owner, name_key, state, lanes, failing_since, revision, doc, sealed_by, secrets)
VALUES (@id, @owner, @name_key, @state, @lanes, @failing_since, 1, @doc, @sealed_by, @secrets)
ON CONFLICT DO NOTHING RETURNING seq

-- name: endpoint
SELECT seq, revision, id, owner, state, lanes, failing_since, doc, sealed_by, secrets FROM hookhouse_endpoints WHERE id = @id

-- name: endpoints
-- Those that exist, with their last attempts, whose seq is 0 if there is none.
SELECT e.seq, e.revision, e.id, e.owner, e.state, e.lanes, e.failing_since, e.doc, e.sealed_by, e.secrets,
  coalesce(a.seq, 0), coalesce(a.endpoint, ''), coalesce(a.event, ''), coalesce(a.uid, ''), coalesce(a.type, ''), coalesce(a.number, 0),
  coalesce(a.began_at, 0), coalesce(a.took_us, 0), coalesce(a.result, ''), coalesce(a.status, 0), coalesce(a.reason, ''),
  coalesce(a.response, ''), a.next_at
FROM hookhouse_endpoints e LEFT JOIN LATERAL (
  SELECT * FROM hookhouse_endpoint_attempts b WHERE b.endpoint = e.id ORDER BY b.seq DESC LIMIT 1) a ON true
WHERE e.id = ANY (ARRAY(SELECT jsonb_array_elements_text(@ids::text::jsonb)))

-- name: named
-- The other endpoint that has the name.
SELECT id FROM hookhouse_endpoints WHERE name_key = @name_key AND name_key <> '' AND owner = @owner AND id <> @id

-- name: update_endpoint
UPDATE hookhouse_endpoints SET name_key = @name_key, state = @state, lanes = @lanes, failing_since = @failing_since, revision = revision + 1,
  doc = @doc, sealed_by = @sealed_by, secrets = @secrets
WHERE seq = @seq AND revision = @revision

-- name: reseal
-- The revision is no condition and stays: what an Update reads is the same as before.
UPDATE hookhouse_endpoints SET sealed_by = @sealed_by, secrets = @secrets WHERE seq = @seq AND secrets = @was

-- name: delete_endpoint
DELETE FROM hookhouse_endpoints WHERE id = @id RETURNING seq

-- name: subscribe
INSERT INTO hookhouse_subscriptions (owner, pattern, endpoint)
SELECT @owner::text, p.value, @seq::bigint FROM jsonb_array_elements_text(@patterns::text::jsonb) AS p(value)

-- name: unsubscribe
DELETE FROM hookhouse_subscriptions WHERE endpoint = @seq

-- name: match
SELECT id, lanes FROM hookhouse_endpoints WHERE seq = ANY (ARRAY(
  SELECT s.endpoint FROM hookhouse_subscriptions s
  WHERE s.owner = @owner AND s.pattern = ANY (ARRAY(SELECT jsonb_array_elements_text(@patterns::text::jsonb)))))
ORDER BY seq

-- name: match_kinds
-- The endpoints of several kinds of events, each kind by its number.
SELECT k.n, t.id, t.lanes FROM jsonb_to_recordset(@kinds::text::jsonb) AS k(n int, owner text, patterns jsonb) CROSS JOIN LATERAL (
  SELECT e.seq, e.id, e.lanes FROM hookhouse_endpoints e WHERE e.seq = ANY (ARRAY(
    SELECT s.endpoint FROM hookhouse_subscriptions s
    WHERE s.owner = k.owner AND s.pattern = ANY (ARRAY(SELECT jsonb_array_elements_text(k.patterns)))))) t
ORDER BY k.n, t.seq

-- name: failing
-- Which of the endpoints exist, and since when they are failing.
SELECT id, failing_since FROM hookhouse_endpoints WHERE id = ANY (ARRAY(SELECT jsonb_array_elements_text(@ids::text::jsonb)))

-- name: begin_failing
UPDATE hookhouse_endpoints SET failing_since = @at, revision = revision + 1 WHERE id = @endpoint AND failing_since IS NULL

-- name: end_failing
UPDATE hookhouse_endpoints SET failing_since = NULL, revision = revision + 1 WHERE id = @endpoint AND failing_since IS NOT NULL

-- name: is_recorded
-- Whether an attempt was recorded before: by the index of times, of which few are equal.
SELECT count(*) FROM hookhouse_endpoint_attempts
WHERE began_at = @at AND endpoint = @endpoint AND uid = @uid AND number = @number AND result = @result

-- name: has_begun
-- Whether an attempt that was recorded before has begun the failing of its endpoint: it is the
-- first of the failures that began at that time.
SELECT count(*) FROM hookhouse_endpoints e CROSS JOIN hookhouse_endpoint_attempts a
WHERE e.id = @endpoint AND e.failing_since = @at AND a.uid = @uid AND a.number = @number
  AND a.seq = (SELECT min(b.seq) FROM hookhouse_endpoint_attempts b WHERE b.began_at = @at AND b.endpoint = @endpoint AND b.result = 'failed')

-- name: insert_attempts
INSERT INTO hookhouse_endpoint_attempts (endpoint, event, uid, type, number, began_at, took_us, result, status, reason, response, next_at)
SELECT x.endpoint, x.event, x.uid, x.type, x.number, x.began_at, x.took_us, x.result, x.status, x.reason, x.response, x.next_at
FROM jsonb_to_recordset(@rows::text::jsonb) AS x(n int, endpoint text, event text, uid text, type text, number int, began_at bigint,
  took_us bigint, result text, status int, reason text, response text, next_at bigint)
ORDER BY x.n

-- name: insert_steady
-- Stores a batch, and commits it durably, unless the failing of an endpoint begins or ends with
-- an attempt, or has begun with one that was recorded before.
WITH arg AS MATERIALIZED (
  SELECT @rows::text::jsonb AS rows,
    CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN set_config('synchronous_commit', 'on', true) END AS done
), x AS MATERIALIZED (
  SELECT x.* FROM arg, jsonb_to_recordset(arg.rows) AS x(n int, endpoint text, event text, uid text, type text, number int, began_at bigint,
    took_us bigint, result text, status int, reason text, response text, next_at bigint)
)
INSERT INTO hookhouse_endpoint_attempts (endpoint, event, uid, type, number, began_at, took_us, result, status, reason, response, next_at)
SELECT x.endpoint, x.event, x.uid, x.type, x.number, x.began_at, x.took_us, x.result, x.status, x.reason, x.response, x.next_at FROM x
WHERE NOT EXISTS (SELECT 1 FROM hookhouse_endpoints e
    WHERE e.id = ANY (ARRAY(SELECT jsonb_array_elements_text(@delivered::text::jsonb))) AND e.failing_since IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM hookhouse_endpoints e
    WHERE e.id = ANY (ARRAY(SELECT jsonb_array_elements_text(@failed::text::jsonb)))
      AND (e.failing_since IS NULL OR e.failing_since = ANY (ARRAY(SELECT y.began_at FROM x y))))
ORDER BY x.n

-- name: last_attempts
SELECT a.seq, a.endpoint, a.event, a.uid, a.type, a.number, a.began_at, a.took_us, a.result, a.status, a.reason, a.response, a.next_at
FROM jsonb_array_elements_text(@ids::text::jsonb) AS i(value) CROSS JOIN LATERAL (
  SELECT * FROM hookhouse_endpoint_attempts b WHERE b.endpoint = i.value ORDER BY b.seq DESC LIMIT 1) a

-- name: sweep
-- Rows that another sweep deletes are left to it.
DELETE FROM hookhouse_endpoint_attempts WHERE seq = ANY (ARRAY(
  SELECT a.seq FROM hookhouse_endpoint_attempts a
  WHERE a.began_at < @before AND (
    NOT EXISTS (SELECT 1 FROM hookhouse_endpoints e WHERE e.id = a.endpoint)
    OR EXISTS (SELECT 1 FROM hookhouse_endpoint_attempts b WHERE b.endpoint = a.endpoint AND b.seq > a.seq))
  ORDER BY a.began_at, a.seq LIMIT @n FOR UPDATE OF a SKIP LOCKED))
