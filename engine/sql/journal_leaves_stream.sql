-- Purpose: every leaf that is copied streams from now on. Parameters: $1 run. Columns: none.
UPDATE godwit.relation
   SET state = 'r', updated_at = pg_catalog.clock_timestamp()
 WHERE run = $1::bigint AND state IN ('f', 's')
