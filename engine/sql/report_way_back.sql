-- Purpose: the way back behind a cutover: its slot on this server, the target. No row before the switch, or when none
-- was prepared or it is closed. Parameters: $1 run, $2 slot, $3 failback.keep_for in microseconds.
-- Columns: somebody reads the slot, bytes of WAL that it holds, bytes that are not applied yet, until when it is kept.
SELECT s.active,
       GREATEST(0, COALESCE(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_flush_lsn(), s.restart_lsn), 0))::bigint,
       GREATEST(0, COALESCE(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_flush_lsn(),
                                                       s.confirmed_flush_lsn), 0))::bigint,
       r.switched_at + $3::bigint * interval '1 microsecond'
  FROM godwit.run AS r
  JOIN pg_catalog.pg_replication_slots AS s
    ON s.slot_name = $2 AND s.database = pg_catalog.current_database()
 WHERE r.id = $1::bigint AND r.state IN ('switched', 'failback')
