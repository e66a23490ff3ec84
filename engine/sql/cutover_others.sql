-- Purpose: sessions in this database that may write and are not godwit's: clients, and background workers that hold or
-- want a writer's lock on a table. A role without pg_read_all_stats is not told what others are: whoever has a user and
-- is no WAL sender then counts as a client. Parameters: $1 only these roles (JSON array, empty: all).
-- Columns: pid, user, application, whether it has written (has a transaction id), state.
SELECT a.pid, a.usename, a.application_name, a.backend_xid IS NOT NULL, a.state
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
 ORDER BY a.pid
