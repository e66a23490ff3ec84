-- Purpose: takes the leaves of a wave for copied: nothing of theirs is to be copied.
-- Parameters: $1 run, $2 wave. Columns: none.
UPDATE godwit.relation
   SET state = 'f', updated_at = pg_catalog.clock_timestamp()
 WHERE run = $1::bigint AND wave = $2::bigint
