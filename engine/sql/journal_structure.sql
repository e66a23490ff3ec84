-- Purpose: records what the run began with, unless that is recorded; says what is.
-- Parameters: $1 run, $2 structure, a line per fact. Columns: structure.
WITH recorded AS (
    INSERT INTO godwit.structure (run, lines) VALUES ($1::bigint, $2)
    ON CONFLICT (run) DO NOTHING
)
SELECT coalesce((SELECT s.lines FROM godwit.structure AS s WHERE s.run = $1::bigint), $2)
