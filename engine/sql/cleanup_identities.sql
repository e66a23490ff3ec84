-- Purpose: what some publications publish and whose replica identity somebody has set. Servers from 10 on.
-- Parameters: $1 text array of publications. Columns: schema, table, "full" or "an index".
SELECT DISTINCT p.schemaname::text, p.tablename::text, CASE c.relreplident WHEN 'f' THEN 'full' ELSE 'an index' END
  FROM pg_catalog.pg_publication_tables AS p
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = p.schemaname
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = p.tablename
 WHERE p.pubname = ANY ($1::text[]) AND c.relreplident IN ('f', 'i')
 ORDER BY 1, 2
