-- Every trigger that is not internal, of relations outside the system's schemas and godwit's own.
-- Columns: oid, relation, name, enabled.
-- Ordered by relation, oid.
SELECT t.oid, t.tgrelid, t.tgname, t.tgenabled
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class r ON r.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE NOT t.tgisinternal
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'godwit')
ORDER BY t.tgrelid, t.oid;
