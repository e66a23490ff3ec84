-- Purpose: the lane row at the slot's consistent point, unless it is there.
-- Parameters: $1 run, $2 lane, $3 position. Columns: none.
INSERT INTO godwit.lane (run, id, applied, epoch)
SELECT r.id, $2::integer, $3::pg_lsn, r.epoch FROM godwit.run AS r WHERE r.id = $1::bigint
ON CONFLICT (run, id) DO NOTHING
