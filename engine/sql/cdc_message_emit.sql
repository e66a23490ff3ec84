-- Purpose: a transactional logical message of ours. Parameters: $1 prefix, $2 content.
-- Columns: where it stands in the WAL (its transaction's end is behind it).
SELECT pg_catalog.pg_logical_emit_message(true, $1, $2)
