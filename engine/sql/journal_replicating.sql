-- Purpose: whether a leaf of the run has streamed. Parameters: $1 run. Columns: it has.
SELECT EXISTS (SELECT FROM godwit.relation WHERE run = $1::bigint AND state = 'r')
