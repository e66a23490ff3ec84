-- Transactions that may have written some relations and that other sessions do not see yet, committed or not: who
-- writes holds a lock until all can see it. One that is idle has not committed. Parameters: $1 oids.
-- Columns: transaction, in byte order.
SELECT DISTINCT l.virtualtransaction COLLATE "C"
  FROM pg_catalog.pg_locks AS l
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.locktype = 'relation' AND l.granted AND l.relation = ANY ($1::oid[])
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
   AND l.mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
   AND COALESCE(a.state NOT LIKE 'idle in transaction%', true)
 ORDER BY 1
