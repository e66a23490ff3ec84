-- TimescaleDB's hypertables (asked only where the extension is created).
-- Columns: schema, name, first dimension's column, its interval,
-- dimensions, chunks. Ordered by schema, name, byte by byte.
SELECT h.hypertable_schema,
       h.hypertable_name,
       d.column_name,
       COALESCE(d.time_interval::pg_catalog.text, d.integer_interval::pg_catalog.text),
       h.num_dimensions,
       h.num_chunks
FROM timescaledb_information.hypertables h
LEFT JOIN timescaledb_information.dimensions d
       ON d.hypertable_schema = h.hypertable_schema
      AND d.hypertable_name = h.hypertable_name
      AND d.dimension_number = 1
ORDER BY h.hypertable_schema COLLATE "C", h.hypertable_name COLLATE "C";
