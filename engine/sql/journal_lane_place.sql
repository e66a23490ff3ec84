-- Purpose: every lane begins at this position, with no regard to what it stood at: what lies before is no change of
-- this direction. Parameters: $1 run, $2 position. Columns: none.
WITH moved AS (
    UPDATE godwit.lane SET applied = $2::pg_lsn, updated_at = pg_catalog.clock_timestamp()
     WHERE run = $1::bigint RETURNING id
)
INSERT INTO godwit.lane (run, id, applied, epoch)
SELECT r.id, 0, $2::pg_lsn, r.epoch FROM godwit.run AS r
 WHERE r.id = $1::bigint AND NOT EXISTS (SELECT FROM moved)
