-- The job of one policy of a hypertable, or of a continuous aggregate's rows. $1 schema, $2 table or view, $3 names of
-- its procedure. The view of jobs names another relation of an aggregate up to 2.19; the number in the configuration
-- means the same in all versions.
-- Column: its configuration as text, without the number of the hypertable.
SELECT (j.config - 'hypertable_id')::pg_catalog.text FROM timescaledb_information.jobs j
LEFT JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id::pg_catalog.text = j.config ->> 'hypertable_id'
WHERE COALESCE(a.user_view_schema, j.hypertable_schema) = $1 AND COALESCE(a.user_view_name, j.hypertable_name) = $2
  AND j.proc_name = $3
