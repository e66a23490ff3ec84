-- TimescaleDB where it is created: schema of its functions, version, licence. No parameters.
SELECT n.nspname, e.extversion, pg_catalog.current_setting('timescaledb.license', true)
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'timescaledb'
