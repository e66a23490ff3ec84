-- Purpose: the large objects that a server has. Parameters: none. Columns: array of oids.
SELECT COALESCE(pg_catalog.array_agg(m.oid), '{}') FROM pg_catalog.pg_largeobject_metadata AS m
