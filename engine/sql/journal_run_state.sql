-- Purpose: moves a run from one state to another; no row when it was not in the old one.
-- Parameters: $1 run, $2 old state, $3 new state. Columns: none.
UPDATE godwit.run
   SET state = $3,
       ended_at = CASE WHEN $3 IN ('finished', 'cleaned') THEN coalesce(ended_at, pg_catalog.clock_timestamp()) END
 WHERE id = $1::bigint AND state = $2
