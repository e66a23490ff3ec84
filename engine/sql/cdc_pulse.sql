-- Purpose: how far the source's WAL goes, and how much of it the slot holds. Parameters: $1 slot.
-- Columns: WAL end that can be sent, bytes held (NULL: no such slot).
SELECT pg_catalog.pg_current_wal_flush_lsn(),
       (SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_flush_lsn(), s.restart_lsn)::bigint
          FROM pg_catalog.pg_replication_slots AS s
         WHERE s.slot_name = $1)
