-- Purpose: what a relation is to hypertables. No row: it is not there.
-- Parameters: $1 oid, 0: by name, $2 schema, $3 name. Columns: the table that it inherits from, which for a chunk is
-- its hypertable (0: none), whether it stands in a schema of TimescaleDB's own.
SELECT COALESCE((SELECT pg_catalog.min(i.inhparent) FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid), 0),
       n.nspname ~ '^_timescaledb_'
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.oid = $1::bigint::oid
    OR ($1::bigint = 0 AND n.nspname = $2 AND c.relname = $3)
