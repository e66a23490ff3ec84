-- Purpose: what the run stands on from now on, after tables were added. Parameters: $1 run, $2 structure.
-- Columns: none.
INSERT INTO godwit.structure (run, lines) VALUES ($1::bigint, $2)
ON CONFLICT (run) DO UPDATE SET lines = excluded.lines
