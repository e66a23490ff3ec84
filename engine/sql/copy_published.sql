-- Purpose: what publishes these tables. A table that was taken out of a publication and put in again, or whose publication
-- was altered, has another text than before: what was written meanwhile is in no stream.
-- Parameters: $1 oids of the tables, $2 names of publications, $3 the kinds of changes that they are to publish, as
-- bits (1 insert, 2 update, 4 delete, 8 truncate). Columns: oid, text ('': nothing publishes it so). Ordered by oid.
WITH RECURSIVE up AS (
    SELECT t.oid AS leaf, t.oid FROM pg_catalog.unnest($1::oid[]) AS t (oid)
    UNION
    SELECT up.leaf, i.inhparent
      FROM up
      JOIN pg_catalog.pg_class AS c ON c.oid = up.oid AND c.relispartition
      JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = up.oid
), publication AS (
    SELECT p.oid, p.puballtables, pg_catalog.format('%s/%s', p.oid, p.xmin) AS text
      FROM pg_catalog.pg_publication AS p
     WHERE p.pubname = ANY ($2::name[])
       AND NOT coalesce((pg_catalog.to_jsonb(p) ->> 'pubviaroot')::boolean, false)
       AND p.pubinsert::integer + 2 * p.pubupdate::integer + 4 * p.pubdelete::integer
           + 8 * coalesce((pg_catalog.to_jsonb(p) ->> 'pubtruncate')::boolean, false)::integer
           = $3::integer -- @from 11
           = ($3::integer & 7) -- @before 11
), entry AS (
    SELECT r.prrelid AS oid, pg_catalog.format('%s/%s', p.text, r.oid) AS text
      FROM publication AS p JOIN pg_catalog.pg_publication_rel AS r ON r.prpubid = p.oid
    UNION ALL -- by its schema, from 15 on: the catalog of these is named by its dependencies alone
    SELECT c.oid, pg_catalog.format('%s/%s', p.text, d.objid)
      FROM publication AS p
      JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_catalog.pg_publication'::regclass AND d.refobjid = p.oid
                                    AND d.classid = pg_catalog.to_regclass('pg_catalog.pg_publication_namespace')
      JOIN pg_catalog.pg_depend AS n ON n.classid = d.classid AND n.objid = d.objid
                                    AND n.refclassid = 'pg_catalog.pg_namespace'::regclass
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.refobjid
    UNION ALL
    SELECT t.oid, p.text FROM publication AS p, pg_catalog.unnest($1::oid[]) AS t (oid) WHERE p.puballtables
)
SELECT up.leaf, coalesce(pg_catalog.string_agg(e.text, ' ' ORDER BY e.text), '')
  FROM up
  LEFT JOIN entry AS e ON e.oid = up.oid
 GROUP BY up.leaf
 ORDER BY up.leaf
