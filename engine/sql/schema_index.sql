-- One index as it stands on the target.
-- $1 schema, $2 index. Columns: valid, schema and name of its table, replica identity, clustered.
SELECT i.indisvalid, n.nspname, t.relname, i.indisreplident, i.indisclustered
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE i.indexrelid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', $1::text, $2::text))
