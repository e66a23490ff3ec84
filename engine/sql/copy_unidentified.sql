-- Purpose: those of some tables whose UPDATE and DELETE cannot be published.
-- Parameters: $1 oids of tables, as an array. Columns: schema, name. One row at most.
SELECT n.nspname, c.relname
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.oid = ANY ($1::oid[])
   AND CASE c.relreplident
         WHEN 'f' THEN false
         WHEN 'd' THEN NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i
                                    WHERE i.indrelid = c.oid AND i.indisprimary AND i.indisvalid
                                      AND i.indimmediate)
         WHEN 'i' THEN NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i
                                    WHERE i.indrelid = c.oid AND i.indisreplident AND i.indisvalid)
         ELSE true
       END
 ORDER BY 1, 2
 LIMIT 1
