-- Purpose: the outcome of every request taken and not finished. Parameters: $1 run, $2 exit status, $3 message.
-- Columns: none.
UPDATE godwit.request
   SET finished_at = pg_catalog.clock_timestamp(), exit_status = $2::integer, message = $3
 WHERE run = $1::bigint AND taken_at IS NOT NULL AND finished_at IS NULL
