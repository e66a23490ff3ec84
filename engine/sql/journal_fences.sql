-- Purpose: the fences that stand. Parameters: $1 run. Columns: side, method, previous, since.
SELECT f.side, f.method, f.previous, pg_catalog.to_char(f.fenced_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  FROM godwit.fence AS f WHERE f.run = $1::bigint ORDER BY f.side
