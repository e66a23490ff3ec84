WITH chunk AS (SELECT k.range_start::timestamp with time zone AS low, k.range_end::timestamp with time zone AS high FROM timescaledb_information.chunks k WHERE k.hypertable_schema = $1 AND k.hypertable_name = $2), gap AS (
SELECT pg_catalog.max(c.high) OVER (ORDER BY c.low, c.high ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS begins, c.low AS ends FROM chunk c
UNION ALL
SELECT pg_catalog.max(c.high), NULL FROM chunk c
), last AS (
SELECT f.at FROM gap g CROSS JOIN LATERAL (SELECT pg_catalog.max(m."Ho""ur") AS at FROM "_timescaledb_internal"."_materialized_hypertable_3" m WHERE m."Ho""ur" >= COALESCE(g.begins, '-infinity') AND m."Ho""ur" < COALESCE(g.ends, 'infinity')) AS f WHERE COALESCE(g.begins < g.ends, true)
)
SELECT l.at::text, ((l.at + 2 * '01:00:00'::interval)::timestamp with time zone)::text FROM (SELECT pg_catalog.max(at) AS at FROM last) AS l;
WITH chunk AS (SELECT k.range_start::timestamp with time zone AS low, k.range_end::timestamp with time zone AS high FROM timescaledb_information.chunks k WHERE k.hypertable_schema = $1 AND k.hypertable_name = $2), gap AS (
SELECT pg_catalog.max(c.high) OVER (ORDER BY c.low, c.high ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS begins, c.low AS ends FROM chunk c
UNION ALL
SELECT pg_catalog.max(c.high), NULL FROM chunk c
), last AS (
SELECT f.at FROM gap g CROSS JOIN LATERAL (SELECT pg_catalog.max(m."Ho""ur") AS at FROM "_timescaledb_internal"."_materialized_hypertable_3" m WHERE m."Ho""ur" >= COALESCE(g.begins, '-infinity') AND m."Ho""ur" < COALESCE(g.ends, 'infinity')) AS f WHERE COALESCE(g.begins < g.ends, true)
UNION ALL
SELECT pg_catalog.max(m."Ho""ur") FROM "_timescaledb_internal"."_materialized_hypertable_3" m WHERE m."Ho""ur" < (pg_catalog.now() - '100 years'::interval)::timestamp with time zone
)
SELECT l.at::text, ((l.at + 2 * '01:00:00'::interval)::timestamp with time zone)::text FROM (SELECT pg_catalog.max(at) AS at FROM last) AS l;
WITH chunk AS (SELECT k.range_start_integer AS low, k.range_end_integer AS high FROM timescaledb_information.chunks k WHERE k.hypertable_schema = $1 AND k.hypertable_name = $2), gap AS (
SELECT pg_catalog.max(c.high) OVER (ORDER BY c.low, c.high ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS begins, c.low AS ends FROM chunk c
UNION ALL
SELECT pg_catalog.max(c.high), NULL FROM chunk c
), last AS (
SELECT f.at FROM gap g CROSS JOIN LATERAL (SELECT pg_catalog.max(m."s") AS at FROM "_timescaledb_internal"."_materialized_hypertable_6" m WHERE m."s" >= COALESCE(g.begins, -9223372036854775808) AND m."s" < COALESCE(g.ends, 9223372036854775807)) AS f WHERE COALESCE(g.begins < g.ends, true)
UNION ALL
SELECT pg_catalog.max(m."s") FROM "_timescaledb_internal"."_materialized_hypertable_6" m WHERE m."s" < 1791200000::bigint - '600000'::bigint
)
SELECT l.at::text, (LEAST(l.at::numeric + 2 * 3600::numeric, 2147483647))::text FROM (SELECT pg_catalog.max(at) AS at FROM last) AS l;
WITH chunk AS (SELECT k.range_start_integer AS low, k.range_end_integer AS high FROM timescaledb_information.chunks k WHERE k.hypertable_schema = $1 AND k.hypertable_name = $2), gap AS (
SELECT pg_catalog.max(c.high) OVER (ORDER BY c.low, c.high ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS begins, c.low AS ends FROM chunk c
UNION ALL
SELECT pg_catalog.max(c.high), NULL FROM chunk c
), last AS (
SELECT f.at FROM gap g CROSS JOIN LATERAL (SELECT pg_catalog.max(m."s") AS at FROM "_timescaledb_internal"."_materialized_hypertable_6" m WHERE m."s" >= COALESCE(g.begins, -9223372036854775808) AND m."s" < COALESCE(g.ends, 9223372036854775807)) AS f WHERE COALESCE(g.begins < g.ends, true)
)
SELECT l.at::text, (LEAST(l.at::numeric + 2 * 3600::numeric, 2147483647))::text FROM (SELECT pg_catalog.max(at) AS at FROM last) AS l;
DELETE FROM "_timescaledb_internal"."_materialized_hypertable_4" WHERE "Ho""ur" < '2026-01-11 00:00:00+00';
COPY (SELECT "Ho""ur", "dev", "n" FROM "_timescaledb_internal"."_materialized_hypertable_3" WHERE "Ho""ur" < '2026-01-11 00:00:00+00') TO STDOUT;
COPY "_timescaledb_internal"."_materialized_hypertable_4" ("Ho""ur", "dev", "n") FROM STDIN;
SELECT pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ROW("Ho""ur", "dev", "n")::text, 0)::numeric)::text FROM "_timescaledb_internal"."_materialized_hypertable_3" WHERE "Ho""ur" < '2026-01-11 00:00:00+00';
SELECT pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ROW("Ho""ur", "dev", "n")::text, 0)::numeric)::text FROM "_timescaledb_internal"."_materialized_hypertable_4" WHERE "Ho""ur" < '2026-01-11 00:00:00+00';
DELETE FROM "_timescaledb_internal"."_materialized_hypertable_4" WHERE "Ho""ur" >= '2026-01-11 00:00:00+00' AND "Ho""ur" <= '2026-01-19 23:00:00+00';
COPY (SELECT "Ho""ur", "dev", "n" FROM "_timescaledb_internal"."_materialized_hypertable_3" WHERE "Ho""ur" >= '2026-01-11 00:00:00+00' AND "Ho""ur" <= '2026-01-19 23:00:00+00') TO STDOUT;
COPY "_timescaledb_internal"."_materialized_hypertable_4" ("Ho""ur", "dev", "n") FROM STDIN;
SELECT pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ROW("Ho""ur", "dev", "n")::text, 0)::numeric)::text FROM "_timescaledb_internal"."_materialized_hypertable_3" WHERE "Ho""ur" >= '2026-01-11 00:00:00+00' AND "Ho""ur" <= '2026-01-19 23:00:00+00';
SELECT pg_catalog.count(*), pg_catalog.sum(pg_catalog.hashtextextended(ROW("Ho""ur", "dev", "n")::text, 0)::numeric)::text FROM "_timescaledb_internal"."_materialized_hypertable_4" WHERE "Ho""ur" >= '2026-01-11 00:00:00+00' AND "Ho""ur" <= '2026-01-19 23:00:00+00';
