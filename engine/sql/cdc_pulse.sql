-- Purpose: how far the source's WAL goes, and how much of it the slot holds. Parameters: $1 slot.
-- Columns: WAL end that can be sent, bytes held (NULL: no such slot).
SELECT pg_catalog.pg_current_wal_flush_lsn(), -- @from 10
       (SELECT pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_flush_lsn(), s.restart_lsn)::bigint -- @from 10
SELECT pg_catalog.pg_current_xlog_flush_location(), -- @from 9.6 before 10
       (SELECT pg_catalog.pg_xlog_location_diff(pg_catalog.pg_current_xlog_flush_location(), s.restart_lsn)::bigint -- @from 9.6 before 10
SELECT pg_catalog.pg_current_xlog_location(), -- @before 9.6
       (SELECT pg_catalog.pg_xlog_location_diff(pg_catalog.pg_current_xlog_location(), s.restart_lsn)::bigint -- @before 9.6
          FROM pg_catalog.pg_replication_slots AS s
         WHERE s.slot_name = $1)
