-- What hypertables are, their columnstores and policies, continuous aggregates, jobs, as facts to compare on both
-- sides (asked only where TimescaleDB is created). What differs by version is left out: numbers in a configuration,
-- the schema of TimescaleDB's procedures, the name of an aggregate in the view of jobs, owners.
-- $1 the jobs that rest during the run, and were scheduled before.
-- Columns: class oid, oid of the table, fact, definition.
SELECT 1259, r.oid, pg_catalog.format('hypertable %I.%I', h.schema_name, h.table_name),
       (SELECT pg_catalog.string_agg(
                   CASE WHEN d.num_slices IS NULL
                        THEN pg_catalog.format('range of %I by %s', d.column_name,
                                               COALESCE(v.time_interval::pg_catalog.text, d.interval_length::pg_catalog.text))
                        ELSE pg_catalog.format('hash of %I in %s', d.column_name, d.num_slices) END
                   || CASE WHEN COALESCE(d.partitioning_func_schema, '_timescaledb_') ~ '^_timescaledb_' THEN ''
                           ELSE pg_catalog.format(' over %I.%I', d.partitioning_func_schema, d.partitioning_func) END
                   || CASE WHEN d.integer_now_func IS NULL THEN ''
                           ELSE pg_catalog.format(' now %I.%I', d.integer_now_func_schema, d.integer_now_func) END,
                   ', ' ORDER BY d.id)
        FROM _timescaledb_catalog.dimension d
        JOIN timescaledb_information.dimensions v
          ON v.hypertable_schema = h.schema_name AND v.hypertable_name = h.table_name AND v.column_name = d.column_name
        WHERE d.hypertable_id = h.id)
FROM _timescaledb_catalog.hypertable h
JOIN timescaledb_information.hypertables i ON i.hypertable_schema = h.schema_name AND i.hypertable_name = h.table_name
JOIN pg_catalog.pg_namespace n ON n.nspname = h.schema_name
JOIN pg_catalog.pg_class r ON r.relnamespace = n.oid AND r.relname = h.table_name
UNION ALL
SELECT 1259, r.oid, pg_catalog.format('columnstore %I.%I', h.schema, h.name),
       (SELECT pg_catalog.format('by (%s) in order (%s)',
                   pg_catalog.string_agg(pg_catalog.quote_ident(s.attname), ', ' ORDER BY s.segmentby_column_index)
                       FILTER (WHERE s.segmentby_column_index IS NOT NULL),
                   pg_catalog.string_agg(pg_catalog.format('%I %s %s', s.attname, CASE WHEN s.orderby_asc THEN 'up' ELSE 'down' END,
                                                           CASE WHEN s.orderby_nullsfirst THEN 'nulls first' ELSE 'nulls last' END),
                                         ', ' ORDER BY s.orderby_column_index)
                       FILTER (WHERE s.orderby_column_index IS NOT NULL))
        FROM timescaledb_information.compression_settings s
        WHERE s.hypertable_schema = h.hypertable_schema AND s.hypertable_name = h.hypertable_name)
       || COALESCE((SELECT ' merged up to ' || pg_catalog.min(pg_catalog.to_jsonb(d) ->> 'compress_interval_length')
                    FROM _timescaledb_catalog.dimension d JOIN _timescaledb_catalog.hypertable t ON t.id = d.hypertable_id
                    WHERE t.schema_name = h.hypertable_schema AND t.table_name = h.hypertable_name), '')
FROM (SELECT hypertable_schema, hypertable_name, hypertable_schema AS schema, hypertable_name AS name
      FROM timescaledb_information.hypertables WHERE compression_enabled
      UNION ALL
      SELECT materialization_hypertable_schema, materialization_hypertable_name, view_schema, view_name
      FROM timescaledb_information.continuous_aggregates WHERE compression_enabled) AS h
JOIN pg_catalog.pg_namespace n ON n.nspname = h.schema
JOIN pg_catalog.pg_class r ON r.relnamespace = n.oid AND r.relname = h.name
UNION ALL
SELECT 1259, r.oid, pg_catalog.format('continuous aggregate %I.%I', a.view_schema, a.view_name),
       CASE WHEN a.materialized_only THEN 'materialized only, ' ELSE 'real time, ' END || a.view_definition
FROM timescaledb_information.continuous_aggregates a
JOIN pg_catalog.pg_namespace n ON n.nspname = a.view_schema
JOIN pg_catalog.pg_class r ON r.relnamespace = n.oid AND r.relname = a.view_name
UNION ALL
SELECT CASE WHEN j.proc_name ~ '^policy_' THEN 1259 ELSE 1255 END, COALESCE(r.oid, p.oid),
       CASE WHEN p.oid IS NULL THEN pg_catalog.format('%s of %I.%I', j.proc_name, x.schema, x.name)
            ELSE pg_catalog.format('job %I.%I %s', j.proc_schema, j.proc_name, COALESCE(j.config::pg_catalog.text, '')) END,
       pg_catalog.format('every %s, start %s, zone %s, at most %s, retries %s every %s, %s, %s', j.schedule_interval,
                         CASE WHEN j.fixed_schedule AND j.proc_name ~ '^policy_'
                              THEN EXTRACT(EPOCH FROM j.initial_start)::pg_catalog.text ELSE 'open' END,
                         COALESCE(pg_catalog.to_jsonb(b) ->> 'timezone', 'none'), j.max_runtime, j.max_retries, j.retry_period,
                         CASE WHEN j.scheduled OR j.job_id = ANY ($1::pg_catalog.int8[]) THEN 'scheduled' ELSE 'paused' END,
                         CASE WHEN p.oid IS NULL THEN pg_catalog.jsonb_strip_nulls(j.config - '{hypertable_id, mat_hypertable_id}'::pg_catalog.text[])
                              END)
FROM timescaledb_information.jobs j
JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
LEFT JOIN _timescaledb_catalog.continuous_agg a
  ON j.proc_name ~ '^policy_'
 AND a.mat_hypertable_id::pg_catalog.text = COALESCE(j.config ->> 'mat_hypertable_id', j.config ->> 'hypertable_id')
CROSS JOIN LATERAL (SELECT COALESCE(a.user_view_schema, j.hypertable_schema), COALESCE(a.user_view_name, j.hypertable_name))
        AS x(schema, name)
LEFT JOIN (pg_catalog.pg_class r JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace)
  ON n.nspname = x.schema AND r.relname = x.name
LEFT JOIN (pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace m ON m.oid = p.pronamespace)
  ON m.nspname = j.proc_schema AND p.proname = j.proc_name AND m.nspname !~ '^_timescaledb_'
WHERE j.job_id >= 1000
  AND (p.oid IS NOT NULL OR j.proc_name IN ('policy_compression', 'policy_retention', 'policy_reorder',
                                            'policy_refresh_continuous_aggregate'))
