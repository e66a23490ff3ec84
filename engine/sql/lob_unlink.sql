-- Purpose: removes large objects of the target that the run brought. Parameters: $1 run, $2 array of oids.
-- Columns: how many.
SELECT pg_catalog.count(pg_catalog.lo_unlink(j.oid))
  FROM godwit.large_object AS j
 WHERE j.run = $1::bigint AND j.oid = ANY ($2::pg_catalog.oid[])
   AND EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata AS m WHERE m.oid = j.oid)
