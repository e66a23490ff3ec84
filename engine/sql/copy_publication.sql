-- Purpose: a publication with what it publishes, to compare with the plan's.
-- Parameters: $1 name. Columns: comment, all tables, publish bits (1 insert, 2 update, 4 delete,
-- 8 truncate), via root, the tables as oid:filter:columns ("f" or "", numbers parted by points).
SELECT coalesce(pg_catalog.obj_description(p.oid, 'pg_publication'), ''),
       p.puballtables,
       p.pubinsert::integer + 2 * p.pubupdate::integer + 4 * p.pubdelete::integer
           + 8 * coalesce((pg_catalog.to_jsonb(p) ->> 'pubtruncate')::boolean, false)::integer,
       coalesce((pg_catalog.to_jsonb(p) ->> 'pubviaroot')::boolean, false),
       ARRAY(SELECT r.prrelid::text
                    || CASE WHEN pg_catalog.to_jsonb(r) ->> 'prqual' IS NULL THEN '::' ELSE ':f:' END
                    || coalesce(pg_catalog.translate(pg_catalog.to_jsonb(r) ->> 'prattrs', ', []', '.'),
                                '')
               FROM pg_catalog.pg_publication_rel AS r
              WHERE r.prpubid = p.oid ORDER BY r.prrelid)
  FROM pg_catalog.pg_publication AS p
 WHERE p.pubname = $1
