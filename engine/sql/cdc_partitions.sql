-- Purpose: everything below partitioned tables, as one fingerprint: oid and transaction that attached it, in order, a
-- comma between. Parameters: $1 oid[] of the tables. Columns: sha256 in hexadecimal, or the text itself; which of them.
WITH RECURSIVE down AS (
    SELECT i.inhrelid AS oid, i.xmin::text AS attached
      FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = ANY ($1::oid[])
    UNION
    SELECT i.inhrelid, i.xmin::text FROM down JOIN pg_catalog.pg_inherits AS i ON i.inhparent = down.oid
)
SELECT -- @before 11
SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to( -- @from 11
           coalesce(pg_catalog.string_agg(down.oid::text || ':' || down.attached, ',' ORDER BY down.oid), '')
           , 'UTF8')), 'hex') -- @from 11
       , false -- @from 11
       , true -- @before 11
  FROM down
