-- Hookhouse publisher, schema 1, PostgreSQL 13 or later.
-- Times are in microseconds since 1970.

CREATE TABLE hookhouse_publish_schema (
  version integer NOT NULL
);

-- The endpoints that receive events.
CREATE TABLE hookhouse_endpoints (
  seq           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order of creation
  id            text COLLATE "C" NOT NULL UNIQUE,
  owner         text COLLATE "C" NOT NULL,
  name_key      text COLLATE "C" NOT NULL,        -- the name in lower case; empty: none
  state         text    NOT NULL,
  lanes         integer NOT NULL,
  failing_since bigint,                           -- NULL: not failing
  revision      bigint  NOT NULL,                 -- one more with each change
  doc           text    NOT NULL,                 -- JSON, without what is secret
  sealed_by     text    NOT NULL,                 -- label of the key that sealed secrets; empty: clear text
  secrets       bytea   NOT NULL                  -- JSON, or that sealed: URL, header, meta and secrets
);
CREATE UNIQUE INDEX hookhouse_endpoint_names ON hookhouse_endpoints (name_key, owner) WHERE name_key <> '';
CREATE INDEX hookhouse_endpoint_owners ON hookhouse_endpoints (owner, seq);

-- The patterns of endpoints that are not disabled.
CREATE TABLE hookhouse_subscriptions (
  owner    text COLLATE "C" NOT NULL,
  pattern  text COLLATE "C" NOT NULL,
  endpoint bigint NOT NULL,                       -- its seq
  PRIMARY KEY (owner, pattern, endpoint)
);
CREATE INDEX hookhouse_subscribed ON hookhouse_subscriptions (endpoint);

-- The attempts to deliver events to endpoints.
CREATE TABLE hookhouse_endpoint_attempts (
  seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order of recording
  endpoint text COLLATE "C" NOT NULL,             -- its id
  event    text COLLATE "C" NOT NULL,
  uid      text    NOT NULL,                      -- of the delivery
  type     text    NOT NULL,
  number   integer NOT NULL,
  began_at bigint  NOT NULL,
  took_us  bigint  NOT NULL,
  result   text    NOT NULL,
  status   integer NOT NULL,
  reason   text    NOT NULL,
  response text    NOT NULL,
  next_at  bigint                                 -- NULL: no next try
);
CREATE INDEX hookhouse_endpoint_attempts_endpoint ON hookhouse_endpoint_attempts (endpoint, seq);
CREATE INDEX hookhouse_endpoint_attempts_event ON hookhouse_endpoint_attempts (event, seq);
CREATE INDEX hookhouse_endpoint_attempts_began ON hookhouse_endpoint_attempts (began_at, seq);

INSERT INTO hookhouse_publish_schema (version) VALUES (1);
