-- The schema of TimescaleDB's functions on the target; no row: it is not created. No parameters.
SELECT n.nspname FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'timescaledb'
