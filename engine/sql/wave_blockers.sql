-- Purpose: the transactions that a new logical slot has to wait for, and the locks of others on
-- tables, oldest first, each as one line for people.
-- Parameters: none. Columns: text.
SELECT b.text
FROM (
    SELECT a.xact_start AS began,
           pg_catalog.format('session %s of %s (%s%s), in a transaction for %s s, last statement: %s',
               a.pid, a.usename,
               CASE WHEN a.application_name <> '' THEN a.application_name || ', ' ELSE '' END, a.state,
               extract(epoch FROM pg_catalog.now() - a.xact_start)::bigint,
               pg_catalog.left(pg_catalog.regexp_replace(a.query, '\s+', ' ', 'g'), 80)) AS text
    FROM pg_catalog.pg_stat_activity AS a
    WHERE a.pid <> pg_catalog.pg_backend_pid()
      AND a.application_name NOT LIKE 'godwit %'
      AND (a.backend_xid IS NOT NULL
           OR EXISTS (SELECT FROM pg_catalog.pg_locks AS l
                      WHERE l.pid = a.pid AND l.granted AND l.mode = 'AccessExclusiveLock'
                        AND l.locktype = 'relation'))
    UNION ALL
    SELECT p.prepared,
           pg_catalog.format('prepared transaction ''%s'' of %s in database %s, since %s',
               p.gid, p.owner, p.database, p.prepared)
    FROM pg_catalog.pg_prepared_xacts AS p
) AS b
ORDER BY b.began
