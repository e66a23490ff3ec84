-- Purpose: ends a request that nobody answered; its asker goes. Parameters: $1 request. Columns: id, when it
-- was ended here.
UPDATE godwit.request
   SET taken_at = coalesce(taken_at, pg_catalog.clock_timestamp()), finished_at = pg_catalog.clock_timestamp(),
       exit_status = 1, message = 'withdrawn: no engine answered'
 WHERE id = $1::bigint AND finished_at IS NULL
RETURNING id
