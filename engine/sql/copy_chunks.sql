-- Purpose: the chunks of hypertables, and whether one of some publications lists each.
-- Parameters: $1 oids of the hypertables, $2 names of publications. Columns: hypertable, oid, schema, name, is listed,
-- bounds (see copy_chunk_facts.sql). Ordered by oid.
SELECT i.inhparent, c.oid, n.nspname, c.relname,
       EXISTS (SELECT
                 FROM pg_catalog.pg_publication_rel AS r
                 JOIN pg_catalog.pg_publication AS p ON p.oid = r.prpubid
                WHERE r.prrelid = c.oid AND p.pubname = ANY ($2::name[])),
       ARRAY(SELECT k.oid::bigint
               FROM pg_catalog.pg_constraint AS k
              WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conislocal AND k.coninhcount = 0
              ORDER BY k.oid)::text
  FROM pg_catalog.pg_inherits AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE i.inhparent = ANY ($1::oid[])
 ORDER BY c.oid
