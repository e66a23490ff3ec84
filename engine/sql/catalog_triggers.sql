-- Every trigger that is not internal, nor one that TimescaleDB puts on its hypertables, of relations outside the system's schemas and godwit's own.
-- Columns: oid, relation, name, enabled.
-- Ordered by relation, oid.
SELECT t.oid, t.tgrelid, t.tgname, t.tgenabled
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class r ON r.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_namespace f ON f.oid = p.pronamespace AND f.nspname !~ '^_timescaledb_'
WHERE NOT t.tgisinternal
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'godwit')
ORDER BY t.tgrelid, t.oid;
