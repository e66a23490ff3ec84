-- Purpose: which of these relations bear another name by now, or have lost their name to another relation.
-- Parameters: $1 JSON array of [oid, schema, rel]. Columns: place in the array (from 0), schema and relation that the oid
-- names now (NULL: it is gone, and its name is another's).
SELECT e.place - 1, n.nspname, c.relname
  FROM pg_catalog.jsonb_array_elements($1::pg_catalog.jsonb) WITH ORDINALITY AS e(item, place)
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = (e.item ->> 0)::oid
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE (n.nspname, c.relname) IS DISTINCT FROM (e.item ->> 1, e.item ->> 2)
   AND (c.oid IS NOT NULL
        OR EXISTS (SELECT FROM pg_catalog.pg_class AS o JOIN pg_catalog.pg_namespace AS p ON p.oid = o.relnamespace
                    WHERE p.nspname = e.item ->> 1 AND o.relname = e.item ->> 2))
 ORDER BY e.place
