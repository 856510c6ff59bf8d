-- Hookhouse inbox, schema 2, SQLite 3.38 or later.

-- These columns distinguish a claim that was lost from one that was settled.
ALTER TABLE hookhouse_deliveries RENAME COLUMN tx_fence TO settled; -- the fence of the last claim that was settled
ALTER TABLE hookhouse_deliveries ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;    -- claims in a row whose leases ran out
ALTER TABLE hookhouse_deliveries ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;    -- the fence of the last suspect claim that began its run
ALTER TABLE hookhouse_deliveries ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0; -- such runs in a row that were not settled

-- Dead letters are kept longer than what else is finished.
DROP INDEX hookhouse_ended;
CREATE INDEX hookhouse_ended ON hookhouse_deliveries (ended) WHERE ended IS NOT NULL AND state <> 'dead';
CREATE INDEX hookhouse_dead ON hookhouse_deliveries (ended) WHERE ended IS NOT NULL AND state = 'dead';

UPDATE hookhouse_schema SET version = 2;
