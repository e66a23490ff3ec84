-- The dimensions of one hypertable. Runs only where the extension is created.
-- $1 schema, $2 table, $3 intervals wanted, in order (NULL: any, or a dimension by hash).
-- Columns: column, interval as text (NULL: by hash), whether it is the one wanted, number of
-- partitions (NULL: by range), partitioning function, function of now: schema and name each, NULL
-- where there is none. Ordered as they were made.
SELECT d.column_name,
       CASE WHEN w.is_interval THEN COALESCE(d.time_interval, i.as_interval)::pg_catalog.text
            ELSE COALESCE(d.time_interval::pg_catalog.text, d.integer_interval::pg_catalog.text) END,
       CASE WHEN w.wanted IS NULL THEN true
            WHEN w.is_interval THEN i.as_interval = w.wanted::pg_catalog.interval
            ELSE c.interval_length::pg_catalog.text = w.wanted END,
       d.num_partitions,
       c.partitioning_func_schema, c.partitioning_func,
       c.integer_now_func_schema, c.integer_now_func
FROM timescaledb_information.dimensions d
JOIN _timescaledb_catalog.hypertable h
  ON h.schema_name = d.hypertable_schema AND h.table_name = d.hypertable_name
JOIN _timescaledb_catalog.dimension c
  ON c.hypertable_id = h.id AND c.column_name = d.column_name
CROSS JOIN LATERAL (SELECT pg_catalog.make_interval(secs => c.interval_length / 1000000.0))
        AS i(as_interval)
CROSS JOIN LATERAL (SELECT x, x !~ '^[0-9]+$'
                    FROM (SELECT ($3::pg_catalog.text[])[d.dimension_number]) AS y(x))
        AS w(wanted, is_interval)
WHERE d.hypertable_schema = $1 AND d.hypertable_name = $2
ORDER BY d.dimension_number
