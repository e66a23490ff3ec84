-- Purpose: the session that asks, as the server knows it. Columns: pid, start.
SELECT a.pid, a.backend_start
  FROM pg_catalog.pg_stat_activity AS a
 WHERE a.pid = pg_catalog.pg_backend_pid()
