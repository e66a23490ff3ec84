-- Purpose: what findings of a code that are not settled are about. Parameters: $1 run, $2 code. Columns: object.
SELECT DISTINCT f.object
  FROM godwit.finding AS f
 WHERE f.run = $1::bigint AND f.code = $2 AND f.severity = 'error' AND f.settled_at IS NULL AND f.object IS NOT NULL
