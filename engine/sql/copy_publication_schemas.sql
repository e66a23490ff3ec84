-- Purpose: the schemas that a publication publishes as a whole (15 and later).
-- Parameters: $1 name. Columns: schema. Ordered.
SELECT n.nspname
  FROM pg_catalog.pg_publication_namespace AS s
  JOIN pg_catalog.pg_publication AS p ON p.oid = s.pnpubid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = s.pnnspid
 WHERE p.pubname = $1
 ORDER BY n.nspname
