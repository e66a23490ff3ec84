-- Purpose: what was found of a relation is mended. Parameters: $1 run, $2 code, $3 and $4 its names. Columns: none.
UPDATE godwit.finding AS f
   SET settled_at = pg_catalog.clock_timestamp()
 WHERE f.run = $1::bigint AND f.code = $2 AND f.severity = 'error' AND f.settled_at IS NULL AND f.object IN ($3, $4)
