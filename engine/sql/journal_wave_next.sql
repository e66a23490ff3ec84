-- Purpose: the number of the next wave. Parameters: $1 run. Columns: wave.
SELECT coalesce(max(l.wave), 0) + 1 FROM godwit.relation AS l WHERE l.run = $1::bigint
