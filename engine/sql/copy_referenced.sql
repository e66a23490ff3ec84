-- Purpose: foreign keys to these tables that belong to other tables, so that TRUNCATE of them is refused.
-- Parameters: $1 the tables, a JSON array of [schema, name]. Columns: schema and name of the table, name of the key,
-- schema and name of the table that has it.
WITH emptied AS (
    SELECT c.oid, n.nspname, c.relname
      FROM pg_catalog.jsonb_array_elements($1::pg_catalog.jsonb) AS e(item)
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = e.item ->> 0
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = e.item ->> 1
)
SELECT e.nspname, e.relname, k.conname, n.nspname, c.relname
  FROM emptied AS e
  JOIN pg_catalog.pg_constraint AS k ON k.confrelid = e.oid AND k.contype = 'f'
  JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE k.conrelid NOT IN (SELECT oid FROM emptied)
 ORDER BY e.nspname COLLATE "C", e.relname COLLATE "C", n.nspname COLLATE "C", c.relname COLLATE "C", k.conname COLLATE "C"
