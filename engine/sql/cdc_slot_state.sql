-- Purpose: whether the stream may go on from its position. Parameters: $1 slot.
-- Columns: confirmed_flush_lsn, wal_status ('lost': it is gone), database is ours.
SELECT s.confirmed_flush_lsn, s.wal_status, s.database = pg_catalog.current_database()
  FROM pg_catalog.pg_replication_slots AS s
 WHERE s.slot_name = $1 AND s.slot_type = 'logical'
