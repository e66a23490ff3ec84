-- TimescaleDB's policies and the user's jobs (asked only where the extension is created); its own jobs are below
-- 1000. The table of jobs has what the view leaves out. An age is a JSON number for integer time. A policy of a
-- continuous aggregate is one of its view: the jobs' view names another relation up to 2.19, the numbers in the
-- configuration mean the same in every version.
-- Columns: id, table's or aggregate's schema and name (NULL: of none), procedure's schema and name, schedule interval,
-- initial start, time zone, max runtime, max retries, retry period, scheduled, configuration, age after which it
-- acts, whether that is a number, the same by the time of creation, index, further keys of the configuration, they
-- as JSON, owner, whether it keeps to a fixed schedule, schema and name of the function that checks the
-- configuration, start and end of a refresh (NULL: unbounded), whether each is a number, whether who asks may
-- alter it. Ordered by id.
SELECT j.job_id,
       COALESCE(a.user_view_schema, j.hypertable_schema),
       COALESCE(a.user_view_name, j.hypertable_name),
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
       COALESCE(o.config ->> 'compress_after', o.config ->> 'drop_after'),
       COALESCE(pg_catalog.jsonb_typeof(COALESCE(o.config -> 'compress_after', o.config -> 'drop_after')) = 'number',
                false),
       COALESCE(o.config ->> 'compress_created_before', o.config ->> 'drop_created_before'),
       o.config ->> 'index_name',
       (SELECT pg_catalog.string_agg(k.key, ', ' ORDER BY k.key) FROM pg_catalog.jsonb_object_keys(m.config) AS k(key)),
       NULLIF(m.config, '{}')::pg_catalog.text,
       -- A regrole, which is printed quoted, or in old versions a name.
       COALESCE((SELECT r.rolname FROM pg_catalog.pg_roles r
                 WHERE pg_catalog.quote_ident(r.rolname) = j.owner::pg_catalog.text)::pg_catalog.text, j.owner::pg_catalog.text),
       j.fixed_schedule,
       pg_catalog.to_jsonb(b) ->> 'check_schema',
       pg_catalog.to_jsonb(b) ->> 'check_name',
       o.config ->> 'start_offset',
       COALESCE(pg_catalog.jsonb_typeof(o.config -> 'start_offset') = 'number', false),
       o.config ->> 'end_offset',
       COALESCE(pg_catalog.jsonb_typeof(o.config -> 'end_offset') = 'number', false),
       pg_catalog.pg_has_role(b.owner::pg_catalog.oid, 'USAGE')
FROM timescaledb_information.jobs j
JOIN _timescaledb_config.bgw_job b ON b.id = j.job_id
CROSS JOIN LATERAL (SELECT CASE WHEN pg_catalog.jsonb_typeof(j.config) = 'object' THEN j.config ELSE '{}' END) AS o(config)
CROSS JOIN LATERAL (SELECT o.config - '{hypertable_id, mat_hypertable_id, compress_after, drop_after,
                                        compress_created_before, drop_created_before, index_name, start_offset,
                                        end_offset}'::pg_catalog.text[]) AS m(config)
LEFT JOIN _timescaledb_catalog.continuous_agg a
  ON j.proc_name ~ '^policy_'
 AND a.mat_hypertable_id::pg_catalog.text = COALESCE(o.config ->> 'mat_hypertable_id', o.config ->> 'hypertable_id')
WHERE j.job_id >= 1000
ORDER BY j.job_id;
