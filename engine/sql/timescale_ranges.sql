-- Borders that divide the refresh of a continuous aggregate, from old to new. $1 schema, $2 view. Where it ends: $3 that
-- long before now, or $4 this number (NULL both: with the last row). $5 the border that an earlier refresh came to.
-- Columns: border, where the window behind it begins (two buckets before, since only whole buckets within a window are
-- refreshed), whether it is the one of $5. Borders lie on a grid of at least ten buckets, a chunk and a hundredth of all
-- chunks of the hypertable below all aggregates; a border behind which there is nothing is none.
-- Numbers are in the unit of the column, microseconds for time.
WITH RECURSIVE chain (raw, mat, depth) AS (
    SELECT a.raw_hypertable_id, a.mat_hypertable_id, 0
    FROM _timescaledb_catalog.continuous_agg a
    WHERE a.user_view_schema = $1 AND a.user_view_name = $2
    UNION ALL
    SELECT a.raw_hypertable_id, a.mat_hypertable_id, c.depth + 1
    FROM chain c JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = c.raw
), bottom AS (
    SELECT h.schema_name, h.table_name
    FROM chain c JOIN _timescaledb_catalog.hypertable h ON h.id = c.raw
    ORDER BY c.depth DESC LIMIT 1
), bucket (width) AS (
    -- A column of the aggregate up to 2.14 where the width is fixed; a text in a table of its own otherwise.
    SELECT COALESCE(pg_catalog.to_jsonb(b) ->> 'bucket_width', pg_catalog.to_jsonb(a) ->> 'bucket_width')
    FROM chain c JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = c.mat
    LEFT JOIN _timescaledb_catalog.continuous_aggs_bucket_function b ON b.mat_hypertable_id = c.mat
    WHERE c.depth = 0
), chunk AS (
    SELECT k.range_start IS NOT NULL AS is_time,
           COALESCE(EXTRACT(EPOCH FROM k.range_start)::pg_catalog.numeric * 1000000, k.range_start_integer) AS low,
           COALESCE(EXTRACT(EPOCH FROM k.range_end)::pg_catalog.numeric * 1000000, k.range_end_integer) AS high
    FROM timescaledb_information.chunks k
    JOIN bottom b ON b.schema_name = k.hypertable_schema AND b.table_name = k.hypertable_name
    WHERE COALESCE(pg_catalog.isfinite(k.range_start) AND pg_catalog.isfinite(k.range_end)
                   AND k.range_start > '0001-01-02+00', true)
), measure AS (
    SELECT pg_catalog.bool_or(k.is_time) AS is_time, pg_catalog.max(k.high - k.low) AS widest,
           (pg_catalog.max(k.high) - pg_catalog.min(k.low)) / 100 AS hundredth, pg_catalog.min(k.low) AS low,
           (SELECT CASE WHEN w.width ~ '^[0-9]+$' THEN w.width::pg_catalog.numeric
                        ELSE EXTRACT(EPOCH FROM w.width::pg_catalog.interval)::pg_catalog.numeric * 1000000 END
            FROM bucket w) AS bucket
    FROM chunk k
), grid AS (
    SELECT m.is_time, m.low, x.unit,
           -- Twice the bucket: a month is at most 31 days long, not 30, and a day at most 25 hours.
           pg_catalog.ceil(2 * m.bucket / x.unit) * x.unit AS overlap,
           pg_catalog.ceil(GREATEST(10 * m.bucket, m.widest, m.hundredth, x.unit) / x.unit) * x.unit AS step,
           CASE WHEN m.is_time THEN
               EXTRACT(EPOCH FROM pg_catalog.now() - $3::pg_catalog.text::pg_catalog.interval)::pg_catalog.numeric * 1000000
           ELSE $4::pg_catalog.text::pg_catalog.numeric END AS ending,
           CASE WHEN m.is_time THEN EXTRACT(EPOCH FROM $5::pg_catalog.text::pg_catalog.timestamptz)::pg_catalog.numeric * 1000000
                WHEN $5::pg_catalog.text ~ '^-?[0-9]+$' THEN $5::pg_catalog.text::pg_catalog.numeric END AS done
    FROM measure m
    CROSS JOIN LATERAL (SELECT CASE WHEN m.is_time THEN 1000000 ELSE 1 END) AS x (unit)
    WHERE m.bucket > 0
), border (at, is_done) AS (
    SELECT DISTINCT pg_catalog.floor(k.low / g.step) * g.step, false
    FROM chunk k CROSS JOIN grid g
    WHERE pg_catalog.floor(k.low / g.step) > pg_catalog.floor(g.low / g.step)
      AND (g.ending IS NULL OR pg_catalog.floor(k.low / g.step) * g.step + g.overlap <= g.ending)
      AND (g.done IS NULL OR pg_catalog.floor(k.low / g.step) * g.step > g.done)
    UNION ALL
    SELECT g.done, true FROM grid g WHERE g.done IS NOT NULL
)
SELECT CASE WHEN g.is_time THEN t.at ELSE pg_catalog.trunc(b.at)::pg_catalog.text END,
       CASE WHEN g.is_time THEN t.before ELSE pg_catalog.trunc(b.at - g.overlap)::pg_catalog.text END,
       b.is_done
FROM border b
CROSS JOIN grid g
LEFT JOIN LATERAL (
    SELECT pg_catalog.to_char(x.epoch + pg_catalog.make_interval(secs => (b.at / 1000000)::pg_catalog.float8), x.form),
           pg_catalog.to_char(x.epoch + pg_catalog.make_interval(secs => ((b.at - g.overlap) / 1000000)::pg_catalog.float8),
                              x.form)
    FROM (SELECT '1970-01-01'::pg_catalog.timestamp, 'YYYY-MM-DD HH24:MI:SS"+00"') AS x (epoch, form)
    WHERE g.is_time) AS t (at, before) ON true
ORDER BY b.at
