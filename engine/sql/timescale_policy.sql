-- The job of one policy of a hypertable. $1 schema, $2 table, $3 names of its procedure.
-- Column: its configuration as text, without the number of the hypertable.
SELECT (j.config - 'hypertable_id')::pg_catalog.text FROM timescaledb_information.jobs j
WHERE j.hypertable_schema = $1 AND j.hypertable_name = $2 AND j.proc_name = $3
