-- Purpose: the measured downtime. Parameters: $1 run, $2 milliseconds. Columns: none.
UPDATE godwit.run SET downtime_ms = $2::bigint WHERE id = $1::bigint
