-- Purpose: whether the run has an applied position. Parameters: $1 run. Columns: has one.
SELECT EXISTS (SELECT FROM godwit.lane AS l WHERE l.run = $1::bigint AND l.id = 0)
