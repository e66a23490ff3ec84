-- Every publication with what it publishes. Partitioned tables stand for their leaves unless it
-- publishes them as their root.
-- Columns: oid, name, comment, all tables, publish bits (1 insert, 2 update, 4 delete, 8 truncate),
-- via root, whether a row filter or column list is in it, oids of the tables.
-- Ordered by name.
SELECT p.oid,
       p.pubname,
       coalesce(pg_catalog.obj_description(p.oid, 'pg_publication'), ''),
       p.puballtables,
       p.pubinsert::integer + 2 * p.pubupdate::integer + 4 * p.pubdelete::integer
           + 8 * coalesce((pg_catalog.to_jsonb(p) ->> 'pubtruncate')::boolean, false)::integer,
       coalesce((pg_catalog.to_jsonb(p) ->> 'pubviaroot')::boolean, false),
       EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS f
                WHERE f.prpubid = p.oid
                  AND (pg_catalog.to_jsonb(f) ->> 'prqual' IS NOT NULL
                       OR pg_catalog.to_jsonb(f) ->> 'prattrs' IS NOT NULL)),
       ARRAY(SELECT c.oid
               FROM pg_catalog.pg_publication_tables AS t
               JOIN pg_catalog.pg_namespace AS n ON n.nspname = t.schemaname
               JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.tablename
              WHERE t.pubname = p.pubname
              ORDER BY c.oid)
  FROM pg_catalog.pg_publication AS p
 ORDER BY p.pubname;
