-- Purpose: writes down chunks in the transaction that copied them, if no other engine has taken the run; the run's row
-- is kept from changing hands until that is over.
-- Parameters: $1 run, $2 JSON as copy_chunk_facts.sql gives it, of these chunks, $3 their position, $4 the engine's epoch.
-- Columns: oid, bounds; no row: another engine has the run.
WITH mine AS (
    SELECT r.id FROM godwit.run AS r WHERE r.id = $1::bigint AND r.epoch = $4::bigint FOR SHARE
)
INSERT INTO godwit.chunk (run, hypertable, oid, schema, rel, bounds, begins, ends, sync_lsn)
SELECT m.id, j.hypertable, j.oid, j.schema, j.rel, j.bounds, j.begins, j.ends, $3::pg_lsn
  FROM mine AS m,
       pg_catalog.jsonb_to_recordset($2::jsonb)
       AS j (oid oid, hypertable oid, schema text, rel text, bounds text, begins bigint, ends bigint)
RETURNING oid, bounds
