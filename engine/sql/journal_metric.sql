-- Purpose: the newest sample of the running engine. Parameters: $1 run, $2 sample (JSON). Columns: none.
INSERT INTO godwit.metric (run, sample) VALUES ($1::bigint, $2::jsonb)
ON CONFLICT (run) DO UPDATE SET sample = excluded.sample, at = pg_catalog.clock_timestamp()
