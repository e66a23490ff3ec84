-- Purpose: ends what an engine that died was asked to pause; the next one was not. Parameters: $1 run. Columns: none.
UPDATE godwit.request
   SET taken_at = coalesce(taken_at, pg_catalog.clock_timestamp()), finished_at = pg_catalog.clock_timestamp(),
       exit_status = 1, message = 'the engine ended before it answered'
 WHERE run = $1::bigint AND kind = 'pause' AND finished_at IS NULL
