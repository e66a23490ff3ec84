-- TimescaleDB's hypertables (asked only where the extension is created).
-- Columns: schema, name, first dimension's column, its interval, dimensions, chunks, schema that chunks are made in and
-- what their names begin with (NULL: TimescaleDB's own choice), tablespaces, whether it lies on several servers.
-- Ordered by schema, name, byte by byte.
SELECT h.hypertable_schema,
       h.hypertable_name,
       d.column_name,
       COALESCE(d.time_interval::pg_catalog.text, d.integer_interval::pg_catalog.text),
       h.num_dimensions,
       h.num_chunks,
       NULLIF(t.associated_schema_name, '_timescaledb_internal'),
       CASE WHEN t.associated_table_prefix !~ '^_(dist_)?hyper_[0-9]+$' THEN t.associated_table_prefix END,
       COALESCE(h.tablespaces::pg_catalog.text[], '{}'),
       COALESCE((pg_catalog.to_jsonb(t) ->> 'replication_factor')::pg_catalog.int4 > 0, false)
FROM timescaledb_information.hypertables h
LEFT JOIN _timescaledb_catalog.hypertable t
       ON t.schema_name = h.hypertable_schema AND t.table_name = h.hypertable_name
LEFT JOIN timescaledb_information.dimensions d
       ON d.hypertable_schema = h.hypertable_schema
      AND d.hypertable_name = h.hypertable_name
      AND d.dimension_number = 1
ORDER BY h.hypertable_schema COLLATE "C", h.hypertable_name COLLATE "C";
