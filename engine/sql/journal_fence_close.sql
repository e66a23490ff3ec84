-- Purpose: the fence of a side that is no primary any more stands from here on, whatever is rolled back later.
-- Parameters: $1 run, $2 side. Columns: none.
UPDATE godwit.fence SET method = 'closed' WHERE run = $1::bigint AND side = $2
