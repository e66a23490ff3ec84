-- Purpose: the outcome of what was asked to be copied beside the stream, up to one request.
-- Parameters: $1 run, $2 newest request, $3 exit status, $4 message. Columns: none.
UPDATE godwit.request
   SET finished_at = pg_catalog.clock_timestamp(), exit_status = $3::integer, message = $4
 WHERE run = $1::bigint AND id <= $2::bigint AND kind IN ('refresh', 'resync')
   AND taken_at IS NOT NULL AND finished_at IS NULL
