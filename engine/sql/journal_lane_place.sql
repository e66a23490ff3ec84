-- Purpose: every lane begins at this position, with no regard to what it stood at: what lies before is no change of
-- this direction. Both servers are the same there, which counts as a first look: what is applied from here on leaves
-- its marks (godwit.touched). Parameters: $1 run, $2 position. Columns: none.
WITH moved AS (
    UPDATE godwit.lane
       SET applied = $2::pg_lsn, look = GREATEST(look, 1), updated_at = pg_catalog.clock_timestamp()
     WHERE run = $1::bigint RETURNING id
)
INSERT INTO godwit.lane (run, id, applied, epoch, look)
SELECT r.id, 0, $2::pg_lsn, r.epoch, 1 FROM godwit.run AS r
 WHERE r.id = $1::bigint AND NOT EXISTS (SELECT FROM moved)
