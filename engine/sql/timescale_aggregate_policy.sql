-- The refresh policy of a continuous aggregate. $1 schema, $2 view. Column: its configuration as text.
-- The view of jobs names another relation from 2.20 on; the number in the configuration means the same in all versions.
SELECT (j.config - 'mat_hypertable_id')::pg_catalog.text
FROM timescaledb_information.jobs j
JOIN _timescaledb_catalog.continuous_agg a
  ON j.config ->> 'mat_hypertable_id' = a.mat_hypertable_id::pg_catalog.text
WHERE a.user_view_schema = $1 AND a.user_view_name = $2
  AND j.proc_name = 'policy_refresh_continuous_aggregate'
