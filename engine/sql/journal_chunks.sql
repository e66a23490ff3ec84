-- Purpose: the book of the source's chunks: those whose rows are on the target. Parameters: $1 run.
-- Columns: oid, the position from which on its changes are applied, its hypertable, its bounds, schema, name.
SELECT c.oid, c.sync_lsn, c.hypertable, c.bounds, c.schema, c.rel
  FROM godwit.chunk AS c
 WHERE c.run = $1::bigint
 ORDER BY c.oid
