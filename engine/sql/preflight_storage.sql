-- Purpose: selected relations that do not lie where and how a new relation would.
-- Parameters: $1 oids of selected relations (array). Columns: schema, name, tablespace (NULL: the database's own),
-- access method (NULL: an ordinary one). Indexes come with their tables.
SELECT n.nspname, c.relname, t.spcname,
       CASE WHEN c.relkind IN ('r', 'm', 'p') AND m.amname <> 'heap' THEN m.amname END
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace
LEFT JOIN pg_catalog.pg_am m ON m.oid = c.relam
WHERE COALESCE(i.indrelid, c.oid) = ANY ($1::pg_catalog.oid[])
  AND (t.oid IS NOT NULL OR (c.relkind IN ('r', 'm', 'p') AND m.amname <> 'heap'))
ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C"
