-- Purpose: the oldest request nobody has taken; it is taken. Parameters: $1 run. Columns: id, kind, argument.
UPDATE godwit.request
   SET taken_at = pg_catalog.clock_timestamp()
 WHERE id = (SELECT q.id FROM godwit.request AS q
              WHERE q.run = $1::bigint AND q.taken_at IS NULL
              ORDER BY q.id LIMIT 1)
RETURNING id, kind, argument
