-- Where a continuous aggregate keeps its rows, and what it reads. $1 schema, $2 view.
-- Columns: schema and name of the hypertable of its rows, that one's time column and its type, width of a bucket,
-- whether who asks may read the rows, schema and name of the hypertable that it reads (of the rows, where it reads
-- another aggregate), age at which retention drops that one's rows (NULL: no policy by age), schema and name of the
-- function that says what now is for integers (NULL: none); then of each column of the rows name and type, in order.
WITH RECURSIVE chain (raw, depth) AS (
    SELECT a.raw_hypertable_id, 0
    FROM _timescaledb_catalog.continuous_agg a
    WHERE a.user_view_schema = $1 AND a.user_view_name = $2
    UNION ALL
    SELECT a.raw_hypertable_id, c.depth + 1
    FROM chain c JOIN _timescaledb_catalog.continuous_agg a ON a.mat_hypertable_id = c.raw
), clock AS (
    SELECT d.integer_now_func_schema, d.integer_now_func
    FROM chain c JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = c.raw AND d.num_slices IS NULL
    ORDER BY c.depth DESC, d.id LIMIT 1
)
SELECT m.schema_name, m.table_name, d.column_name, pg_catalog.format_type(d.column_type, NULL),
       -- A column of the aggregate up to 2.14 where the width is fixed; a text in a table of its own otherwise.
       COALESCE(pg_catalog.to_jsonb(b) ->> 'bucket_width', pg_catalog.to_jsonb(a) ->> 'bucket_width'),
       pg_catalog.has_table_privilege(r.oid, 'SELECT'),
       h.schema_name, h.table_name,
       (SELECT pg_catalog.max(j.config ->> 'drop_after') FROM timescaledb_information.jobs j
        WHERE j.proc_name = 'policy_retention' AND j.config ->> 'hypertable_id' = h.id::pg_catalog.text),
       k.integer_now_func_schema, k.integer_now_func,
       t.attname, pg_catalog.format_type(t.atttypid, t.atttypmod)
FROM _timescaledb_catalog.continuous_agg a
JOIN _timescaledb_catalog.hypertable m ON m.id = a.mat_hypertable_id
JOIN _timescaledb_catalog.hypertable h ON h.id = a.raw_hypertable_id
JOIN _timescaledb_catalog.dimension d ON d.hypertable_id = m.id AND d.num_slices IS NULL
JOIN pg_catalog.pg_namespace n ON n.nspname = m.schema_name
JOIN pg_catalog.pg_class r ON r.relnamespace = n.oid AND r.relname = m.table_name
JOIN pg_catalog.pg_attribute t ON t.attrelid = r.oid AND t.attnum > 0 AND NOT t.attisdropped
LEFT JOIN _timescaledb_catalog.continuous_aggs_bucket_function b ON b.mat_hypertable_id = a.mat_hypertable_id
LEFT JOIN clock k ON true
WHERE a.user_view_schema = $1 AND a.user_view_name = $2
ORDER BY t.attnum
