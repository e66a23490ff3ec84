-- Purpose: a column of the target that is not of the type that it must have: binary values of another type of the same
-- length would be taken for its own. $1: the tables, a JSON array of [schema, name, [[column, type oid], ...]].
-- Columns: schema, table, column; no row or one.
SELECT e.item ->> 0, e.item ->> 1, k.item ->> 0
  FROM pg_catalog.jsonb_array_elements($1::pg_catalog.jsonb) AS e(item)
 CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(e.item -> 2) AS k(item)
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = e.item ->> 0
  LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = e.item ->> 1
  LEFT JOIN pg_catalog.pg_attribute AS a
    ON a.attrelid = c.oid AND a.attname = k.item ->> 0 AND a.attnum > 0 AND NOT a.attisdropped
 WHERE a.atttypid IS DISTINCT FROM (k.item ->> 1)::pg_catalog.oid
 LIMIT 1
