ALTER TABLE "app"."m" SET (timescaledb.enable_columnstore, timescaledb.segmentby = '"De""v"', timescaledb.orderby = 'at DESC', timescaledb.compress_chunk_time_interval = '14 days');
CALL "public".add_columnstore_policy('"app"."m"'::regclass, after => INTERVAL '14 days', schedule_interval => '06:00:00'::interval);
SELECT "public".alter_job(j.job_id, config => j.config || '{"maxchunks_to_compress": 4}'::jsonb) FROM timescaledb_information.jobs j WHERE j.hypertable_schema = 'app' AND j.hypertable_name = 'm' AND j.proc_name = 'policy_compression';
SELECT "public".add_retention_policy('"app"."m"'::regclass, drop_after => INTERVAL '2 years', schedule_interval => '1 day'::interval, timezone => 'Asia/Tokyo');
SELECT "public".alter_job(j.job_id, scheduled => false, config => j.config || '{"verbose_log": true}'::jsonb, timezone => 'Asia/Tokyo') FROM timescaledb_information.jobs j WHERE j.hypertable_schema = 'app' AND j.hypertable_name = 'm' AND j.proc_name = 'policy_retention';
SET LOCAL search_path = "public";
CREATE MATERIALIZED VIEW "agg S"."Hourly" WITH (timescaledb.continuous, timescaledb.materialized_only = false, timescaledb.create_group_indexes = false) AS
SELECT public.time_bucket('1 hour', at) AS "Hour", "De""v" AS dev, count(*) AS n FROM app.m GROUP BY 1, 2
WITH NO DATA;
CREATE INDEX ON "agg S"."Hourly" USING btree (dev, "Hour" DESC);
CREATE INDEX "Mi ne" ON "agg S"."Hourly" USING btree (n) WHERE (n > 1);
ALTER MATERIALIZED VIEW "agg S"."Hourly" SET (timescaledb.enable_columnstore, timescaledb.segmentby = '"dev"', timescaledb.orderby = '"Hour" DESC', timescaledb.compress_chunk_time_interval = '90 days');
SELECT "public".add_continuous_aggregate_policy('"agg S"."Hourly"'::regclass, start_offset => NULL, end_offset => INTERVAL '01:00:00', schedule_interval => '00:30:00'::interval);
SELECT "public".alter_job(j.job_id, config => j.config || '{"buckets_per_batch": 7, "refresh_newest_first": false}'::jsonb) FROM timescaledb_information.jobs j JOIN _timescaledb_catalog.continuous_agg a ON j.config ->> 'mat_hypertable_id' = a.mat_hypertable_id::text WHERE a.user_view_schema = 'agg S' AND a.user_view_name = 'Hourly' AND j.proc_name = 'policy_refresh_continuous_aggregate';
CALL "public".add_columnstore_policy('"agg S"."Hourly"'::regclass, after => INTERVAL '40 days', schedule_interval => '12:00:00'::interval);
SELECT "public".alter_job(j.job_id, config => j.config || '{"maxchunks_to_compress": 3}'::jsonb) FROM timescaledb_information.jobs j JOIN _timescaledb_catalog.continuous_agg a ON j.config ->> 'hypertable_id' = a.mat_hypertable_id::text WHERE a.user_view_schema = 'agg S' AND a.user_view_name = 'Hourly' AND j.proc_name = 'policy_compression';
SELECT "public".add_retention_policy('"agg S"."Hourly"'::regclass, drop_after => INTERVAL '3 years', schedule_interval => '1 day'::interval);
SELECT "public".alter_job(j.job_id, config => j.config || '{"verbose_log": true}'::jsonb) FROM timescaledb_information.jobs j JOIN _timescaledb_catalog.continuous_agg a ON j.config ->> 'hypertable_id' = a.mat_hypertable_id::text WHERE a.user_view_schema = 'agg S' AND a.user_view_name = 'Hourly' AND j.proc_name = 'policy_retention';
SELECT pg_catalog.set_config('role', r.rolname::text, true) FROM pg_catalog.pg_roles r WHERE r.rolname = 'ali ce' AND r.rolname <> CURRENT_USER AND r.rolcanlogin AND pg_catalog.pg_has_role(r.oid, 'MEMBER') AND pg_catalog.has_schema_privilege(r.oid, 'app', 'USAGE') AND pg_catalog.has_function_privilege(r.oid, '"app"."roll up"'::regproc::oid, 'EXECUTE');
SELECT "public".add_job('"app"."roll up"'::regproc, config => '{"k": "it''s"}'::jsonb, fixed_schedule => false, check_config => '"app"."looks"'::regproc, schedule_interval => '01:00:00'::interval);
