-- Sessions in this database that the fence would have to end, but that this role cannot: of superusers, and either clients
-- or of a kind that the role is not told (background workers look like clients to it then).
-- Columns: how many, whether the role is told what sessions are.
SELECT pg_catalog.count(*), pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') -- @from 10
SELECT pg_catalog.count(*), (SELECT m.rolsuper FROM pg_catalog.pg_roles m WHERE m.rolname = current_user) -- @before 10
FROM pg_catalog.pg_stat_activity a
JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
WHERE a.datname = pg_catalog.current_database()
  AND r.rolsuper
  AND NOT (SELECT m.rolsuper FROM pg_catalog.pg_roles m WHERE m.rolname = current_user)
  AND COALESCE(a.backend_type, 'client backend') = 'client backend' -- @from 10
  AND a.query NOT LIKE 'autovacuum: %' -- @before 10
  AND a.pid NOT IN (SELECT w.pid FROM pg_catalog.pg_stat_get_wal_senders() w)
  AND a.pid <> pg_catalog.pg_backend_pid();
