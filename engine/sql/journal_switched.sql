-- Purpose: the target becomes the primary now. Parameters: $1 run. Columns: none.
UPDATE godwit.run SET switched_at = pg_catalog.clock_timestamp() WHERE id = $1::bigint
