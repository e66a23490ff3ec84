-- Purpose: the leaves of a wave as the snapshot sees them: name, size, and the columns that travel,
-- each as "name type-oid", sorted by name.
-- Parameters: $1 oids of the leaves. Columns: oid, schema, rel, pages, columns.
SELECT c.oid, n.nspname, c.relname,
       pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint,
       coalesce((SELECT pg_catalog.string_agg(a.attname || ' ' || a.atttypid, ','
                                              ORDER BY a.attname::text COLLATE "C")
                   FROM pg_catalog.pg_attribute AS a
                  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                    AND coalesce(pg_catalog.to_jsonb(a) ->> 'attgenerated', '') = ''), '')
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.oid = ANY ($1::oid[])
