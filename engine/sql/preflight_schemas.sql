-- What this role may do in each schema.
-- Columns: schema, usage, create. Ordered by schema, byte by byte.
SELECT n.nspname,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
       pg_catalog.has_schema_privilege(n.oid, 'CREATE')
FROM pg_catalog.pg_namespace n
ORDER BY n.nspname::text COLLATE "C";
