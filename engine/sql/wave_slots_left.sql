-- Purpose: drops the slots that waves of a killed engine left on a source before 10, where no slot is temporary.
-- Parameters: $1 the run's slot. Columns: none that matter.
SELECT pg_catalog.pg_drop_replication_slot(s.slot_name)
  FROM pg_catalog.pg_replication_slots AS s
 WHERE s.active_pid IS NULL
   AND s.slot_name ~ ('^' || $1 || '_w[0-9a-f]{4}$')
