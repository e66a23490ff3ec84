-- Purpose: the large objects of a range that the run brought. Parameters: $1 run, $2 first oid, $3 last oid.
-- Columns: oid, size, hash, access, horizon (a full transaction id).
SELECT j.oid, j.size, j.hash, j.access, j.horizon::text
  FROM godwit.large_object AS j
 WHERE j.run = $1::bigint AND j.oid BETWEEN $2::pg_catalog.oid AND $3::pg_catalog.oid
 ORDER BY j.oid
