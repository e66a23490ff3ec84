-- Purpose: slots, publications and indexes of this database that bear a plan's name or mark.
-- Parameters: $1 name prefix ("godwit_<plan>_"), $2 mark prefix ("godwit <plan> ").
-- Columns: kind ("slot", "publication", "index"), schema (of an index), name, mark of the run (not of an index).
SELECT 'slot', '', s.slot_name::text, pg_catalog.substr(s.slot_name, pg_catalog.length($1) + 1, 8)
  FROM pg_catalog.pg_replication_slots AS s
 WHERE s.database = pg_catalog.current_database() AND pg_catalog.strpos(s.slot_name, $1) = 1
   AND s.slot_name ~ ('^.{' || pg_catalog.length($1) || '}[0-9a-f]{8}(_back|_w[0-9a-f]{4})?$')
UNION ALL
SELECT 'publication', '', p.pubname::text, -- @from 10
       CASE WHEN p.pubname ~ ('^.{' || pg_catalog.length($1) || '}[0-9a-f]{8}(_back)?$') -- @from 10
                 AND pg_catalog.strpos(p.pubname, $1) = 1 -- @from 10
            THEN pg_catalog.substr(p.pubname, pg_catalog.length($1) + 1, 8) -- @from 10
            ELSE pg_catalog.substr(pg_catalog.obj_description(p.oid, 'pg_publication'), -- @from 10
                                   pg_catalog.length($2) + 1, 8) END -- @from 10
  FROM pg_catalog.pg_publication AS p -- @from 10
 WHERE (pg_catalog.strpos(p.pubname, $1) = 1 -- @from 10
        AND p.pubname ~ ('^.{' || pg_catalog.length($1) || '}[0-9a-f]{8}(_back)?$')) -- @from 10
    OR (pg_catalog.strpos(pg_catalog.obj_description(p.oid, 'pg_publication'), $2) = 1 -- @from 10
        AND pg_catalog.obj_description(p.oid, 'pg_publication') -- @from 10
            ~ ('^.{' || pg_catalog.length($2) || '}[0-9a-f]{8}$')) -- @from 10
SELECT 'publication', '', $2, '' WHERE false -- @before 10
UNION ALL
SELECT 'index', n.nspname::text, x.relname::text, ''
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = x.relnamespace
 WHERE x.relname = $1 || i.indrelid::text AND NOT i.indisreplident
 ORDER BY 1 DESC, 2, 3
