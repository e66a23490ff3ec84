-- Purpose: client sessions in this database that are not godwit's. Parameters: $1 only these roles (JSON array, empty: all).
-- Columns: pid, user, application, whether it has written (has a transaction id), state.
SELECT a.pid, a.usename, a.application_name, a.backend_xid IS NOT NULL, a.state
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = pg_catalog.current_database()
   AND a.backend_type = 'client backend'
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.application_name NOT LIKE 'godwit %'
   AND ($1::jsonb = '[]' OR $1::jsonb ? a.usename::text)
 ORDER BY a.pid
