-- Purpose: chunks that are still there, and whether somebody holds or awaits a lock that keeps them from being
-- published; an own session's count for none.
-- Parameters: $1 oids. Columns: oid, is free. Ordered by oid.
SELECT c.oid,
       NOT EXISTS (SELECT
                     FROM pg_catalog.pg_locks AS l
                    WHERE l.locktype = 'relation' AND l.relation = c.oid
                      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                                         WHERE d.datname = pg_catalog.current_database())
                      AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')
                      AND l.pid <> pg_catalog.pg_backend_pid())
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = ANY ($1::oid[])
 ORDER BY c.oid
