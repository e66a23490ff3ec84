-- Purpose: which of these oids are large objects. Parameters: $1 array of oids. Columns: how many, the least.
SELECT pg_catalog.count(*), pg_catalog.min(m.oid)
  FROM pg_catalog.pg_largeobject_metadata AS m WHERE m.oid = ANY ($1::pg_catalog.oid[])
