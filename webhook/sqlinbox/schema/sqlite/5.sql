-- Hookhouse inbox, schema 5, SQLite 3.38 or later.

-- How far each catch-up has come.
CREATE TABLE hookhouse_cursors (
  name   TEXT NOT NULL PRIMARY KEY,
  value  TEXT NOT NULL,                     -- as the catch-up writes it; never empty
  set_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

UPDATE hookhouse_schema SET version = 5;
