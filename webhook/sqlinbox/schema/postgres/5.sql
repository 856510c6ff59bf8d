-- Hookhouse inbox, schema 5, PostgreSQL 13 or later.

-- How far each catch-up has come.
CREATE TABLE hookhouse_cursors (
  name   text COLLATE "C" PRIMARY KEY,
  value  text NOT NULL,                     -- as the catch-up writes it; never empty
  set_at bigint NOT NULL
);

UPDATE hookhouse_schema SET version = 5;
