-- Purpose: remembers which pinned plan a run is held to, or that it is held to none.
-- Parameters: $1 run, $2 hash of the pinned plan or NULL. Columns: none.
UPDATE godwit.run SET pinned = $2 WHERE id = $1::bigint AND pinned IS DISTINCT FROM $2
