-- What hypertables are, as facts to compare on both sides (asked only where TimescaleDB is created).
-- Columns: class oid, oid of the table, fact, definition.
SELECT 1259, r.oid, pg_catalog.format('hypertable %I.%I', h.schema_name, h.table_name),
       (SELECT pg_catalog.string_agg(
                   CASE WHEN d.num_slices IS NULL
                        THEN pg_catalog.format('range of %I by %s', d.column_name,
                                               COALESCE(v.time_interval::pg_catalog.text, d.interval_length::pg_catalog.text))
                        ELSE pg_catalog.format('hash of %I in %s', d.column_name, d.num_slices) END
                   || CASE WHEN COALESCE(d.partitioning_func_schema, '_timescaledb_') ~ '^_timescaledb_' THEN ''
                           ELSE pg_catalog.format(' over %I.%I', d.partitioning_func_schema, d.partitioning_func) END
                   || CASE WHEN d.integer_now_func IS NULL THEN ''
                           ELSE pg_catalog.format(' now %I.%I', d.integer_now_func_schema, d.integer_now_func) END,
                   ', ' ORDER BY d.id)
        FROM _timescaledb_catalog.dimension d
        JOIN timescaledb_information.dimensions v
          ON v.hypertable_schema = h.schema_name AND v.hypertable_name = h.table_name AND v.column_name = d.column_name
        WHERE d.hypertable_id = h.id)
FROM _timescaledb_catalog.hypertable h
JOIN timescaledb_information.hypertables i ON i.hypertable_schema = h.schema_name AND i.hypertable_name = h.table_name
JOIN pg_catalog.pg_namespace n ON n.nspname = h.schema_name
JOIN pg_catalog.pg_class r ON r.relnamespace = n.oid AND r.relname = h.table_name
