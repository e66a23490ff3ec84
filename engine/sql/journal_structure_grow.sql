-- Purpose: what the run stands on from now on, after tables were added. Parameters: $1 run, $2 structure.
-- Columns: none.
UPDATE godwit.structure SET lines = $2 WHERE run = $1::bigint
