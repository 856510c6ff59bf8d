-- Hookhouse publisher, schema 1, SQLite 3.38 or later.
-- Times are in microseconds since 1970.

CREATE TABLE hookhouse_publish_schema (
  version INTEGER NOT NULL
) STRICT;

-- The endpoints that receive events.
CREATE TABLE hookhouse_endpoints (
  seq           INTEGER PRIMARY KEY AUTOINCREMENT, -- order of creation; not used again
  id            TEXT    NOT NULL UNIQUE,
  owner         TEXT    NOT NULL,
  name_key      TEXT    NOT NULL,                  -- the name in lower case; empty: none
  state         TEXT    NOT NULL,
  lanes         INTEGER NOT NULL,
  failing_since INTEGER,                           -- NULL: not failing
  revision      INTEGER NOT NULL,                  -- one more with each change
  doc           TEXT    NOT NULL,                  -- JSON, without what is secret
  sealed_by     TEXT    NOT NULL,                  -- label of the key that sealed secrets; empty: clear text
  secrets       BLOB    NOT NULL                   -- JSON, or that sealed: URL, header, meta and secrets
) STRICT;
CREATE UNIQUE INDEX hookhouse_endpoint_names ON hookhouse_endpoints (name_key, owner) WHERE name_key <> '';
CREATE INDEX hookhouse_endpoint_owners ON hookhouse_endpoints (owner, seq);

-- The patterns of endpoints that are not disabled.
CREATE TABLE hookhouse_subscriptions (
  owner    TEXT    NOT NULL,
  pattern  TEXT    NOT NULL,
  endpoint INTEGER NOT NULL,                       -- its seq
  PRIMARY KEY (owner, pattern, endpoint)
) STRICT, WITHOUT ROWID;
CREATE INDEX hookhouse_subscribed ON hookhouse_subscriptions (endpoint);

-- The attempts to deliver events to endpoints.
CREATE TABLE hookhouse_endpoint_attempts (
  seq      INTEGER PRIMARY KEY AUTOINCREMENT,      -- order of recording; not used again
  endpoint TEXT    NOT NULL,                       -- its id
  event    TEXT    NOT NULL,
  uid      TEXT    NOT NULL,                       -- of the delivery
  type     TEXT    NOT NULL,
  number   INTEGER NOT NULL,
  began_at INTEGER NOT NULL,
  took_us  INTEGER NOT NULL,
  result   TEXT    NOT NULL,
  status   INTEGER NOT NULL,
  reason   TEXT    NOT NULL,
  response TEXT    NOT NULL,
  next_at  INTEGER                                 -- NULL: no next try
) STRICT;
CREATE INDEX hookhouse_endpoint_attempts_endpoint ON hookhouse_endpoint_attempts (endpoint, seq);
CREATE INDEX hookhouse_endpoint_attempts_event ON hookhouse_endpoint_attempts (event, seq);
CREATE INDEX hookhouse_endpoint_attempts_began ON hookhouse_endpoint_attempts (began_at, seq);

INSERT INTO hookhouse_publish_schema (version) VALUES (1);
