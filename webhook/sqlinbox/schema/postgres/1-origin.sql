-- What schema 1 lacked when it was first used.
ALTER TABLE hookhouse_deliveries ADD COLUMN origin bigint;
ALTER TABLE hookhouse_marks ADD COLUMN sender_id text COLLATE "C";
DROP INDEX hookhouse_done;
CREATE INDEX hookhouse_done ON hookhouse_deliveries (source, key, coalesce(origin, id)) WHERE state = 'done' AND key <> '';
