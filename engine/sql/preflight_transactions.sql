-- Transactions that have been open for longer than so many seconds and wrote, or do nothing: the
-- first hold up the making of a slot, in whichever database they are; prepared ones too.
-- Parameters: seconds. Columns: pid (0: prepared), when its session began, role, database,
-- what it is, age in seconds, has written, idle in its transaction. Oldest first.
SELECT a.pid, a.backend_start, a.usename, a.datname,
       COALESCE(NULLIF(a.application_name, ''), 'no application_name'),
       pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start))::bigint,
       a.backend_xid IS NOT NULL,
       a.state LIKE 'idle in transaction%'
FROM pg_catalog.pg_stat_activity a
WHERE a.backend_type = 'client backend' -- @from 10
WHERE a.client_port IS NOT NULL -- @before 10
  AND a.pid <> pg_catalog.pg_backend_pid()
  AND a.application_name NOT LIKE 'godwit %'
  AND a.xact_start < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $1)
  AND (a.backend_xid IS NOT NULL OR a.state LIKE 'idle in transaction%')
UNION ALL
SELECT 0, NULL, x.owner, x.database, x.gid,
       pg_catalog.floor(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - x.prepared))::bigint,
       true, false
FROM pg_catalog.pg_prepared_xacts x
WHERE x.database <> pg_catalog.current_database()
ORDER BY 6 DESC, 1;
