-- Purpose: what became of a step that was running when its engine died, by the word of the operator.
-- Parameters: $1 run, $2 step, $3 state, $4 detail. Columns: none.
UPDATE godwit.step
   SET state = $3, detail = $4, ended_at = pg_catalog.clock_timestamp()
 WHERE run = $1::bigint AND step = $2 AND state = 'running'
