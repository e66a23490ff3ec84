-- Purpose: drops a replication slot if it is there; a session that still uses it is ended first.
-- Parameters: $1 slot name. Columns: none that matter.
SELECT CASE WHEN s.active_pid IS NOT NULL THEN pg_catalog.pg_terminate_backend(s.active_pid, 5000) END, -- @from 14
SELECT CASE WHEN s.active_pid IS NOT NULL AND pg_catalog.pg_terminate_backend(s.active_pid) -- @before 14
            THEN pg_catalog.pg_sleep(1) END, -- @before 14
       pg_catalog.pg_drop_replication_slot(s.slot_name)
  FROM pg_catalog.pg_replication_slots AS s
 WHERE s.slot_name = $1
