-- Purpose: whether a session still holds an advisory lock of ours; it does not behind a crash of the server.
-- Parameters: $1 key, $2 pid, $3 the session's start. Columns: it does.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_locks AS l
      JOIN pg_catalog.pg_stat_activity AS a USING (pid)
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
       AND (l.classid::bigint << 32) | l.objid::bigint = $1::bigint
       AND a.pid = $2::int AND a.backend_start = $3::timestamptz
)
