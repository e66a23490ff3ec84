-- The extensions that are created in this database.
-- Columns: oid, name, version, schema, relocatable. Ordered by name, byte by byte.
SELECT e.oid, e.extname, e.extversion, n.nspname, e.extrelocatable
FROM pg_catalog.pg_extension e
JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
ORDER BY e.extname::text COLLATE "C";
