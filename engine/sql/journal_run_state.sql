-- Purpose: moves a run from one state to another; no row when it was not in the old one, or is not ours.
-- Parameters: $1 run, $2 old state, $3 new state, $4 the epoch that is ours (NULL: whosever it is). Columns: none.
UPDATE godwit.run
   SET state = $3,
       ended_at = CASE WHEN $3 IN ('finished', 'cleaned') THEN coalesce(ended_at, pg_catalog.clock_timestamp()) END
 WHERE id = $1::bigint AND state = $2 AND epoch = coalesce($4::bigint, epoch)
