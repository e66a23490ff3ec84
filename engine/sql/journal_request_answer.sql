-- Purpose: the outcome of one request. Parameters: $1 request, $2 exit status, $3 message. Columns: none.
UPDATE godwit.request
   SET finished_at = pg_catalog.clock_timestamp(), exit_status = $2::integer, message = $3
 WHERE id = $1::bigint
