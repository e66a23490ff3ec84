-- Where some relations were touched since looks at them began. Parameters: $1 run, $2 schemas and $3 names (arrays).
-- Columns: look, least, greatest place of the key; NULL: anywhere.
SELECT t.look, t.least, t.greatest
  FROM godwit.touched AS t
  JOIN ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) AS n (schema, rel)
    ON n.schema = t.schema AND n.rel = t.rel
 WHERE t.run = $1::bigint
