-- Purpose: ends client sessions in this database that are not godwit's. Parameters: $1 only these roles (JSON array,
-- empty: all). Columns: how many were told to end.
SELECT count(*) FILTER (WHERE pg_catalog.pg_terminate_backend(a.pid))
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.datname = pg_catalog.current_database()
   AND a.backend_type = 'client backend'
   AND a.pid <> pg_catalog.pg_backend_pid()
   AND a.application_name NOT LIKE 'godwit %'
   AND ($1::jsonb = '[]' OR $1::jsonb ? a.usename::text)
