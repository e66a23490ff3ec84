-- Purpose: the topmost table above a relation; itself when it is no partition. No row: it is not there.
-- Parameters: $1 oid, $2 publications, quoted, a comma between. Columns: oid, schema, rel, whether one publishes it
-- (the last three of the relation itself).
WITH RECURSIVE up AS (
    SELECT c.oid, c.relispartition FROM pg_catalog.pg_class AS c WHERE c.oid = $1::oid
    UNION ALL
    SELECT p.oid, p.relispartition
      FROM up
      JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = up.oid AND up.relispartition
      JOIN pg_catalog.pg_class AS p ON p.oid = i.inhparent
)
SELECT up.oid, n.nspname, c.relname,
       EXISTS (SELECT FROM pg_catalog.pg_publication_tables AS t
                WHERE t.pubname IN (SELECT coalesce(pg_catalog.replace(m[1], '""', '"'), m[2])
                                      FROM pg_catalog.regexp_matches($2, '"((?:[^"]|"")*)"|([^",]+)', 'g') AS m)
                  AND t.schemaname = n.nspname AND t.tablename = c.relname)
  FROM up, pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE NOT up.relispartition AND c.oid = $1::oid
