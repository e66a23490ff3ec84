-- TimescaleDB's policies and the user's jobs (asked only where the extension is created); its own jobs are below
-- 1000. The table of jobs has what the view leaves out. An age is a JSON number for integer time.
-- Columns: id, hypertable's schema and name (NULL: of none), procedure's schema and name, schedule interval,
-- initial start, time zone, max runtime, max retries, retry period, scheduled, configuration, age after which it
-- acts, whether that is a number, the same by the time of creation, index, further keys of the configuration,
-- owner, whether who asks may alter it. Ordered by id.
SELECT j.job_id,
       j.hypertable_schema,
       j.hypertable_name,
       j.proc_schema,
       j.proc_name,
       j.schedule_interval::pg_catalog.text,
       CASE WHEN j.fixed_schedule THEN j.initial_start::pg_catalog.text END,
       pg_catalog.to_jsonb(b) ->> 'timezone',
       j.max_runtime::pg_catalog.text,
       j.max_retries,
       j.retry_period::pg_catalog.text,
       j.scheduled,
       j.config::pg_catalog.text,
       COALESCE(j.config ->> 'compress_after', j.config ->> 'drop_after'),
       COALESCE(pg_catalog.jsonb_typeof(COALESCE(j.config -> 'compress_after', j.config -> 'drop_after')) = 'number',
                false),
       COALESCE(j.config ->> 'compress_created_before', j.config ->> 'drop_created_before'),
       j.config ->> 'index_name',
       (SELECT pg_catalog.string_agg(k.key, ', ' ORDER BY k.key)
        FROM pg_catalog.jsonb_object_keys(CASE WHEN pg_catalog.jsonb_typeof(j.config) = 'object' THEN j.config
                                               ELSE '{}' END) AS k(key)
        WHERE k.key NOT IN ('hypertable_id', 'mat_hypertable_id', 'compress_after', 'drop_after',
                            'compress_created_before', 'drop_created_before', 'index_name')),
       j.owner::pg_catalog.text,
       pg_catalog.pg_has_role(b.owner::pg_catalog.oid, 'USAGE')
FROM timescaledb_information.jobs j
JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
WHERE j.job_id >= 1000
ORDER BY j.job_id;
