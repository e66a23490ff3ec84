-- What bears the name of a continuous aggregate. $1 schema, $2 view.
-- Columns: oid, whether only what is materialized is shown (NULL: it is no continuous aggregate), whether its rows have
-- a columnstore. At most one row.
SELECT c.oid, a.materialized_only, COALESCE((pg_catalog.to_jsonb(a) ->> 'compression_enabled')::pg_catalog.bool, false)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN timescaledb_information.continuous_aggregates a
  ON a.view_schema = n.nspname AND a.view_name = c.relname
WHERE n.nspname = $1 AND c.relname = $2
