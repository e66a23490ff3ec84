-- Purpose: who holds an advisory lock of ours. Parameters: $1 key. Columns: pid, user, address, since, name.
SELECT a.pid, a.usename, coalesce(pg_catalog.host(a.client_addr), 'local socket'),
       pg_catalog.to_char(a.backend_start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), a.application_name
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_stat_activity AS a USING (pid)
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
   AND (l.classid::bigint << 32) | l.objid::bigint = $1::bigint
