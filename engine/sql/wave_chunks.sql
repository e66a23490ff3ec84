-- Purpose: the chunks of hypertables as the snapshot sees them, and whether each is the same file still: the
-- function looks at the catalog as it is now, the column as the snapshot shows it.
-- Parameters: $1 oids of the hypertables. Columns: hypertable, schema, name, bytes, is the same, oid.
-- Ordered by hypertable; the largest first.
SELECT i.inhparent, n.nspname, c.relname,
       COALESCE(pg_catalog.pg_total_relation_size(c.oid), 0),
       COALESCE(pg_catalog.pg_relation_filenode(c.oid) = c.relfilenode, false), c.oid
  FROM pg_catalog.pg_inherits AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE i.inhparent = ANY ($1::oid[])
 ORDER BY i.inhparent, 4 DESC, c.oid
