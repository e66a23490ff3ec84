-- TimescaleDB's continuous aggregates (asked only where the extension is created).
-- Columns: schema, name, schema and name of the hypertable that holds its rows. Ordered by view, byte by byte.
SELECT a.view_schema, a.view_name, a.materialization_hypertable_schema, a.materialization_hypertable_name
FROM timescaledb_information.continuous_aggregates a
ORDER BY a.view_schema COLLATE "C", a.view_name COLLATE "C";
