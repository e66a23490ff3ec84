-- TimescaleDB's continuous aggregates (asked only where the extension is created).
-- Columns: schema, name, schema and name of the hypertable that holds its rows, query, whether only what is
-- materialized is shown, whether it is of the form that every version knows,
-- schema and name of the hypertable or aggregate that it reads. Ordered by view, byte by byte.
SELECT a.view_schema, a.view_name, a.materialization_hypertable_schema, a.materialization_hypertable_name,
       a.view_definition,
       a.materialized_only,
       COALESCE((pg_catalog.to_jsonb(a) ->> 'finalized')::pg_catalog.bool, true),
       COALESCE(p.user_view_schema, h.schema_name),
       COALESCE(p.user_view_name, h.table_name)
FROM timescaledb_information.continuous_aggregates a
LEFT JOIN _timescaledb_catalog.continuous_agg c
  ON c.user_view_schema = a.view_schema AND c.user_view_name = a.view_name
LEFT JOIN _timescaledb_catalog.continuous_agg p ON p.mat_hypertable_id = c.raw_hypertable_id
LEFT JOIN _timescaledb_catalog.hypertable h ON h.id = c.raw_hypertable_id
ORDER BY a.view_schema COLLATE "C", a.view_name COLLATE "C";
