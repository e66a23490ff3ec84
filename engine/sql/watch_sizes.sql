-- Purpose: how large chunks are, under locks that keep them there. Parameters: $1 oids.
-- Columns: oid, bytes. Ordered by oid.
SELECT c.oid, COALESCE(pg_catalog.pg_relation_size(c.oid), 0)
  FROM pg_catalog.pg_class AS c
 WHERE c.oid = ANY ($1::oid[])
 ORDER BY c.oid
