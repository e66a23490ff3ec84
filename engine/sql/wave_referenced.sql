-- Purpose: tables that foreign keys of other tables reference. Parameters: none. Columns: schema, rel.
SELECT DISTINCT n.nspname, c.relname
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS c ON c.oid = k.confrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE k.contype = 'f' AND k.conrelid <> k.confrelid
