-- Purpose: whether the stream may go on from its position. wal_status is there from 13 on, the reason from 17 on.
-- Parameters: $1 slot. Columns: confirmed_flush_lsn, wal_status ('lost': it is gone), database is ours, why it is gone,
-- where the server's WAL ends (NULL: in recovery).
SELECT s.confirmed_flush_lsn, -- @from 9.6
SELECT s.restart_lsn, -- @before 9.6
       pg_catalog.to_jsonb(s) ->> 'wal_status', s.database = pg_catalog.current_database(),
       coalesce(pg_catalog.to_jsonb(s) ->> 'invalidation_reason', ''),
       CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_current_wal_insert_lsn() END -- @from 10
       CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_current_xlog_insert_location() END -- @before 10
  FROM pg_catalog.pg_replication_slots AS s
 WHERE s.slot_name = $1 AND s.slot_type = 'logical'
