-- Purpose: a fence was taken down. Parameters: $1 run, $2 side. Columns: none.
DELETE FROM godwit.fence WHERE run = $1::bigint AND side = $2
