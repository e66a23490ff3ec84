-- Purpose: the topmost table above a relation; itself when it is no partition. No row: it is not there.
-- Parameters: $1 oid. Columns: oid, schema, rel (of the relation itself).
WITH RECURSIVE up AS (
    SELECT c.oid, c.relispartition FROM pg_catalog.pg_class AS c WHERE c.oid = $1::oid
    UNION ALL
    SELECT p.oid, p.relispartition
      FROM up
      JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = up.oid AND up.relispartition
      JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent
)
SELECT up.oid, n.nspname, c.relname
  FROM up, pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE NOT up.relispartition AND c.oid = $1::oid
