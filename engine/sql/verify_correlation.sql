-- How far rows lie in the order of a column, 0 to 1; NULL when nobody has looked. Parameters: $1 schemas and $2 names of
-- tables (arrays), $3 column. Columns: correlation.
SELECT pg_catalog.avg(pg_catalog.abs(s.correlation))
  FROM pg_catalog.pg_stats AS s
  JOIN ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS n (schema, rel)
    ON s.schemaname = n.schema AND s.tablename = n.rel
 WHERE s.attname = $3
