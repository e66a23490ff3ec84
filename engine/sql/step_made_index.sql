-- Purpose: an index that the run made on the target, wherever its table stands.
-- Parameters: $1 name. Columns: schema, whether it can be dropped concurrently (not on a table with children).
SELECT n.nspname,
       NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhparent = i.indrelid)
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = x.relnamespace
 WHERE x.relname = $1
 ORDER BY 1
