-- A job of the user's own. $1 schema, $2 procedure, $3 its configuration (NULL: none). Column: its number.
SELECT j.job_id FROM timescaledb_information.jobs j
WHERE j.proc_schema = $1 AND j.proc_name = $2 AND j.config IS NOT DISTINCT FROM $3::pg_catalog.jsonb
