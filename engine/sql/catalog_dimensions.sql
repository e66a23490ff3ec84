-- The dimensions of TimescaleDB's hypertables (asked only where the extension is created). The unit of an
-- interval is that of the column, or of what the partitioning function makes of it.
-- Columns: schema, name, column, interval (NULL: by hash), whether it is a number, number of partitions
-- (NULL: by range), partitioning function and function of now: schema and name each, NULL where there is
-- none of the user's own. Ordered by table, byte by byte, then as they were made.
SELECT d.hypertable_schema,
       d.hypertable_name,
       d.column_name,
       CASE WHEN c.interval_length IS NULL THEN NULL
            WHEN t.is_time THEN pg_catalog.justify_hours(pg_catalog.make_interval(secs => c.interval_length / 1000000.0))::pg_catalog.text
            ELSE c.interval_length::pg_catalog.text END,
       NOT t.is_time,
       d.num_partitions,
       CASE WHEN f.own THEN c.partitioning_func_schema END,
       CASE WHEN f.own THEN c.partitioning_func END,
       c.integer_now_func_schema,
       c.integer_now_func
FROM timescaledb_information.dimensions d
JOIN _timescaledb_catalog.hypertable h
  ON h.schema_name = d.hypertable_schema AND h.table_name = d.hypertable_name
JOIN _timescaledb_catalog.dimension c
  ON c.hypertable_id = h.id AND c.column_name = d.column_name
CROSS JOIN LATERAL (SELECT COALESCE(c.partitioning_func_schema, '_timescaledb_') !~ '^_timescaledb_') AS f(own)
CROSS JOIN LATERAL (
    SELECT COALESCE((SELECT p.prorettype FROM pg_catalog.pg_proc p
                     JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
                     WHERE f.own AND n.nspname = c.partitioning_func_schema AND p.proname = c.partitioning_func
                     LIMIT 1), c.column_type::pg_catalog.oid)
           IN (1082, 1114, 1184)) AS t(is_time)
ORDER BY d.hypertable_schema COLLATE "C", d.hypertable_name COLLATE "C", d.dimension_number;
