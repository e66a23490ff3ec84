-- The files of some tables on the source: another one may hold other rows, of which no change told.
-- Parameters: $1 schemas and $2 names (arrays). Columns: files.
SELECT pg_catalog.sum(pg_catalog.hashtext(pg_catalog.concat_ws(',', c.oid, c.relfilenode))::bigint)
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS l (schema, rel)
  JOIN pg_catalog.pg_namespace AS s ON s.nspname = l.schema
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = s.oid AND c.relname = l.rel
