-- Purpose: the partitions that the run has known, those that went too. Parameters: $1 run.
-- Columns: oid, root, schema, rel, target_schema, target_rel, bounds, shared, is_gone.
SELECT p.oid, p.root, p.schema, p.rel, p.target_schema, p.target_rel, p.bounds, p.shared, p.gone_at IS NOT NULL
  FROM godwit.partition AS p
 WHERE p.run = $1::bigint
 ORDER BY p.oid
