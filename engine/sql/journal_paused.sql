-- Purpose: tables that are paused. Parameters: $1 run.
-- Columns: schema, rel, target_schema, target_rel, oid, why, remedy, paused_at.
SELECT p.schema, p.rel, p.target_schema, p.target_rel, p.oid, p.why, p.remedy, p.paused_at
  FROM godwit.paused AS p
 WHERE p.run = $1::bigint
 ORDER BY p.schema, p.rel
