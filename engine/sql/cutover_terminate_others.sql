-- Purpose: ends the sessions that cutover_others.sql shows, but for those of superusers, whom only superusers may end: they
-- stay, and the caller names them. Parameters: $1 only these roles (JSON array, empty: all).
-- Columns: how many were told to end.
SELECT count(*) FILTER (WHERE pg_catalog.pg_terminate_backend(a.pid))
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = pg_catalog.current_database()
   AND a.usesysid IS NOT NULL
   AND a.pid NOT IN (SELECT w.pid FROM pg_catalog.pg_stat_get_wal_senders() AS w)
   AND (coalesce(a.backend_type, 'client backend') = 'client backend' -- @from 10
   AND (a.query NOT LIKE 'autovacuum: %' -- @before 10
        OR EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                    WHERE l.pid = a.pid AND l.mode = 'RowExclusiveLock' AND l.relation >= 16384))
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.application_name NOT LIKE 'godwit %'
   AND ($1::jsonb = '[]' OR $1::jsonb ? a.usename::text)
   AND (NOT (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.oid = a.usesysid)
        OR (SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user))
