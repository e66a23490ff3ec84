-- Purpose: what the run began with. Parameters: $1 run. Columns: structure.
SELECT s.lines FROM godwit.structure AS s WHERE s.run = $1::bigint
