-- Purpose: whether the target has a partition's own table by now.
-- Parameters: $1 schema, $2 name. Columns: whether.
SELECT pg_catalog.to_regclass(pg_catalog.format('%I.%I', $1::text, $2::text)) IS NOT NULL
