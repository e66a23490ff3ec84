-- Whether a materialized view of the target holds rows. $1 schema, $2 name. Columns: populated.
SELECT c.relispopulated
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'm'
