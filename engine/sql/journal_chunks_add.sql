-- Purpose: writes down chunks that a wave copies, or that the stream's watcher has seen. Parameters: $1 run, $2 JSON as
-- copy_chunk_facts.sql gives it, $3 the position from which on their changes are applied. Columns: none.
INSERT INTO godwit.chunk (run, hypertable, oid, schema, rel, bounds, begins, ends, sync_lsn)
SELECT $1::bigint, j.hypertable, j.oid, j.schema, j.rel, j.bounds, j.begins, j.ends, $3::pg_lsn
  FROM pg_catalog.jsonb_to_recordset($2::jsonb)
       AS j (oid oid, hypertable oid, schema text, rel text, bounds text, begins bigint, ends bigint)
ON CONFLICT (run, oid) DO NOTHING
