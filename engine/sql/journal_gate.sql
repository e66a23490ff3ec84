-- Purpose: a gate was reached. Parameters: $1 run, $2 gate, $3 detail. Columns: none.
INSERT INTO godwit.gate (run, gate, detail) VALUES ($1::bigint, $2, $3)
ON CONFLICT (run, gate) DO UPDATE SET reached_at = pg_catalog.clock_timestamp(), detail = excluded.detail
