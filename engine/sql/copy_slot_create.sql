-- Purpose: makes the main slot; waits for running and prepared transactions within lock_timeout.
-- Parameters: $1 name, $2 plugin. Columns: consistent point.
SELECT s.lsn FROM pg_catalog.pg_create_logical_replication_slot($1, $2) AS s (name, lsn)
