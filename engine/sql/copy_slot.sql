-- Purpose: a replication slot as it stands. wal_status is there from 13 on, the reason from 17 on.
-- Parameters: $1 name. Columns: plugin, is ours to use (logical, this database), confirmed position,
-- WAL status, reason of invalidation, survives a failover.
SELECT coalesce(s.plugin, ''),
       s.slot_type = 'logical' AND s.database = pg_catalog.current_database(),
       s.confirmed_flush_lsn, -- @from 9.6
       s.restart_lsn, -- @before 9.6
       coalesce(pg_catalog.to_jsonb(s) ->> 'wal_status', ''),
       coalesce(pg_catalog.to_jsonb(s) ->> 'invalidation_reason', ''),
       coalesce((pg_catalog.to_jsonb(s) ->> 'failover')::boolean, false)
  FROM pg_catalog.pg_replication_slots AS s
 WHERE s.slot_name = $1
