-- Purpose: moves a leaf's state. Parameters: $1 run, $2 schema, $3 rel, $4 state. Columns: none.
UPDATE godwit.relation
   SET state = $4::"char", updated_at = pg_catalog.clock_timestamp()
 WHERE run = $1::bigint AND schema = $2 AND rel = $3
