-- Purpose: what lies before a position is never sent. Parameters: $1 slot, $2 position. Columns: where it stands now.
SELECT a.end_lsn FROM pg_catalog.pg_replication_slot_advance($1, $2::pg_lsn) AS a
