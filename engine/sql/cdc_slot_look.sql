-- Purpose: one look at a slot's health. wal_status and safe_wal_size are there from 13 on, inactive_since, failover and
-- invalidation_reason from 17 on, idle_replication_slot_timeout from 18 on.
-- Parameters: $1 slot. Columns: WAL end that can be sent, slot exists, WAL status, bytes of WAL held, bytes of WAL that
-- may still be written before it can be lost (NULL: no limit), active, seconds since it was last active, reason of
-- invalidation, survives a failover, max_slot_wal_keep_size in bytes (-1 none), idle_replication_slot_timeout in
-- seconds (0 none).
SELECT pg_catalog.pg_current_wal_flush_lsn(), -- @from 10
SELECT pg_catalog.pg_current_xlog_flush_location(), -- @from 9.6 before 10
SELECT pg_catalog.pg_current_xlog_location(), -- @before 9.6
       s.slot_name IS NOT NULL,
       coalesce(pg_catalog.to_jsonb(s) ->> 'wal_status', ''),
       greatest(0, coalesce(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_flush_lsn(), s.restart_lsn), 0))::bigint, -- @from 10
       greatest(0, coalesce(pg_catalog.pg_xlog_location_diff(pg_catalog.pg_current_xlog_location(), s.restart_lsn), 0))::bigint, -- @before 10
       (pg_catalog.to_jsonb(s) ->> 'safe_wal_size')::bigint,
       coalesce(s.active, false),
       greatest(0, pg_catalog.date_part('epoch', pg_catalog.clock_timestamp()
                                        - (pg_catalog.to_jsonb(s) ->> 'inactive_since')::timestamptz)),
       coalesce(pg_catalog.to_jsonb(s) ->> 'invalidation_reason', ''),
       coalesce((pg_catalog.to_jsonb(s) ->> 'failover')::boolean, false),
       coalesce(pg_catalog.pg_size_bytes(pg_catalog.current_setting('max_slot_wal_keep_size', true)), -1), -- @from 13
       coalesce(pg_catalog.date_part('epoch', pg_catalog.current_setting('idle_replication_slot_timeout', true)::interval), 0) -- @from 13
       -1, -- @before 13
       0 -- @before 13
  FROM (VALUES (1)) AS one
  LEFT JOIN pg_catalog.pg_replication_slots AS s ON s.slot_name = $1
