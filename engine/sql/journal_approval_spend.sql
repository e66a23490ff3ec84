-- Purpose: an approval is for one attempt: after a rollback it counts no more. Parameters: $1 run. Columns: none.
UPDATE godwit.approval
   SET expires_at = pg_catalog.clock_timestamp()
 WHERE run = $1::bigint AND expires_at > pg_catalog.clock_timestamp()
