-- Purpose: makes empty large objects of these oids. Parameters: $1 array of oids. Columns: how many.
SELECT pg_catalog.count(pg_catalog.lo_create(o.oid)) FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS o (oid)
