-- Purpose: chunks of the source's hypertables whose rows are on the target. Parameters: $1 run.
-- Columns: oid, the position from which on its changes are applied, its hypertable.
SELECT c.oid, c.sync_lsn, c.hypertable
  FROM godwit.chunk AS c
 WHERE c.run = $1::bigint
 ORDER BY c.oid
