-- Purpose: a run that failed back goes on: what its cutover did is to be done again. Parameters: $1 run, $2 the steps
-- whose rows go (JSON array of ids). Columns: none.
DELETE FROM godwit.step WHERE run = $1::bigint AND $2::jsonb ? step
