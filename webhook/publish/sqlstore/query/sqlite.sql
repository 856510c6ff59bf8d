-- The statements of the store for SQLite. @name is an argument. A limit is an expression,
-- since SQLite compiles a statement again at each use when its limit is an argument.

-- name: lock_schema
-- A transaction of Inbox.Write is the only one that writes.

-- name: has_tables
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'hookhouse_publish_schema'

-- name: version
SELECT coalesce(max(version), 0) FROM hookhouse_publish_schema

-- name: sealed_by
SELECT sealed_by, count(*) FROM hookhouse_endpoints GROUP BY sealed_by

-- name: insert_endpoint
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
FROM json_each(@ids) i CROSS JOIN hookhouse_endpoints e ON e.id = i.value
LEFT JOIN hookhouse_endpoint_attempts a ON a.seq = (SELECT max(b.seq) FROM hookhouse_endpoint_attempts b WHERE b.endpoint = e.id)

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
INSERT INTO hookhouse_subscriptions (owner, pattern, endpoint) SELECT @owner, value, @seq FROM json_each(@patterns)

-- name: unsubscribe
DELETE FROM hookhouse_subscriptions WHERE endpoint = @seq

-- name: match
SELECT id, lanes FROM hookhouse_endpoints WHERE seq IN (
  SELECT s.endpoint FROM json_each(@patterns) p CROSS JOIN hookhouse_subscriptions s ON s.owner = @owner AND s.pattern = p.value)
ORDER BY seq

-- name: match_kinds
-- The endpoints of several kinds of events, each kind by its number.
SELECT k.key, e.id, e.lanes FROM json_each(@kinds) k CROSS JOIN hookhouse_endpoints e
WHERE e.seq IN (
  SELECT s.endpoint FROM json_each(k.value, '$.patterns') p CROSS JOIN hookhouse_subscriptions s
  WHERE s.owner = k.value ->> 'owner' AND s.pattern = p.value)
ORDER BY k.key, e.seq

-- name: failing
-- Which of the endpoints exist, and since when they are failing.
SELECT id, failing_since FROM hookhouse_endpoints WHERE id IN (SELECT value FROM json_each(@ids))

-- name: begin_failing
UPDATE hookhouse_endpoints SET failing_since = @at, revision = revision + 1 WHERE id = @endpoint AND failing_since IS NULL

-- name: end_failing
UPDATE hookhouse_endpoints SET failing_since = NULL, revision = revision + 1 WHERE id = @endpoint AND failing_since IS NOT NULL

-- name: is_recorded
-- Whether an attempt was recorded before: by the index of times, of which few are equal.
SELECT count(*) FROM hookhouse_endpoint_attempts
WHERE began_at = @at AND +endpoint = @endpoint AND uid = @uid AND number = @number AND result = @result

-- name: has_begun
-- Whether an attempt that was recorded before has begun the failing of its endpoint: it is the
-- first of the failures that began at that time.
SELECT count(*) FROM hookhouse_endpoints e CROSS JOIN hookhouse_endpoint_attempts a
WHERE e.id = @endpoint AND e.failing_since = @at AND a.uid = @uid AND a.number = @number
  AND a.seq = (SELECT min(b.seq) FROM hookhouse_endpoint_attempts b WHERE b.began_at = @at AND +b.endpoint = @endpoint AND b.result = 'failed')

-- name: insert_attempts
INSERT INTO hookhouse_endpoint_attempts (endpoint, event, uid, type, number, began_at, took_us, result, status, reason, response, next_at)
SELECT value ->> 'endpoint', value ->> 'event', value ->> 'uid', value ->> 'type', value ->> 'number', value ->> 'began_at',
  value ->> 'took_us', value ->> 'result', value ->> 'status', value ->> 'reason', value ->> 'response', value ->> 'next_at'
FROM json_each(@rows) ORDER BY key

-- name: insert_steady
-- There is one writer, and nothing to gain.

-- name: last_attempts
SELECT a.seq, a.endpoint, a.event, a.uid, a.type, a.number, a.began_at, a.took_us, a.result, a.status, a.reason, a.response, a.next_at
FROM json_each(@ids) i CROSS JOIN hookhouse_endpoint_attempts a
ON a.seq = (SELECT max(b.seq) FROM hookhouse_endpoint_attempts b WHERE b.endpoint = i.value)

-- name: sweep
DELETE FROM hookhouse_endpoint_attempts WHERE seq IN (
  SELECT a.seq FROM hookhouse_endpoint_attempts a
  WHERE a.began_at < @before AND (
    NOT EXISTS (SELECT 1 FROM hookhouse_endpoints e WHERE e.id = a.endpoint)
    OR EXISTS (SELECT 1 FROM hookhouse_endpoint_attempts b WHERE b.endpoint = a.endpoint AND b.seq > a.seq))
  ORDER BY a.began_at, a.seq LIMIT @n + 0)
