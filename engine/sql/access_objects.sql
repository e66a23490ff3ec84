-- Purpose: who owns the objects of a database, in words that mean the same on every server.
-- Parameters: $1 class oids, $2 oids (two arrays of one length): these objects; both NULL: every object of a user's.
-- The database, schema public and language plpgsql always come.
-- Columns: class oid, oid, word of GRANT and ALTER (table, routine, ...), schema and name of a relation (else NULL),
-- identity (of all others, quoted), owner, whether the session's user has the owner's privileges, whether it follows
-- its table's owner, whether it is a function that runs as its owner, schema it stands in.
WITH kept AS (
    SELECT k.class, k.oid FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]),
                                          pg_catalog.unnest($2::pg_catalog.oid[])) AS k (class, oid)
), found (class, oid, word, space, rel, owner, follows, definer) AS (
    SELECT 1259, c.oid, CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                                       WHEN 'f' THEN 'foreign table' ELSE 'table' END,
           c.relnamespace, c.relname, c.relowner,
           c.relkind = 'S' AND EXISTS (SELECT FROM pg_catalog.pg_depend d
                                       WHERE d.classid = 1259 AND d.objid = c.oid AND d.refclassid = 1259
                                         AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')), false
    FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relpersistence <> 't'
    UNION ALL
    SELECT 1255, p.oid, 'routine', p.pronamespace, NULL, p.proowner,
           EXISTS (SELECT FROM pg_catalog.pg_depend d
                   WHERE d.classid = 1255 AND d.objid = p.oid AND d.deptype = 'i'), p.prosecdef
    FROM pg_catalog.pg_proc p
    UNION ALL
    SELECT 1247, t.oid, 'type', t.typnamespace, NULL, t.typowner, false, false
    FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_class c ON c.oid = t.typrelid
    WHERE t.typtype IN ('d', 'e', 'r') OR (t.typtype = 'b' AND t.typelem = 0 AND t.typisdefined)
       OR (t.typtype = 'c' AND c.relkind = 'c')
    UNION ALL
    SELECT 2615, n.oid, 'schema', NULL, NULL, n.nspowner, n.oid < 16384, false
    FROM pg_catalog.pg_namespace n
    UNION ALL
    SELECT 3456, l.oid, 'collation', l.collnamespace, NULL, l.collowner, false, false FROM pg_catalog.pg_collation l
    UNION ALL
    SELECT 2607, v.oid, 'conversion', v.connamespace, NULL, v.conowner, false, false FROM pg_catalog.pg_conversion v
    UNION ALL
    SELECT 2617, o.oid, 'operator', o.oprnamespace, NULL, o.oprowner, false, false FROM pg_catalog.pg_operator o
    UNION ALL
    SELECT 2616, o.oid, 'operator class', o.opcnamespace, NULL, o.opcowner, false, false FROM pg_catalog.pg_opclass o
    UNION ALL
    SELECT 2753, o.oid, 'operator family', o.opfnamespace, NULL, o.opfowner, false, false FROM pg_catalog.pg_opfamily o
    UNION ALL
    SELECT 3600, d.oid, 'text search dictionary', d.dictnamespace, NULL, d.dictowner, false, false
    FROM pg_catalog.pg_ts_dict d
    UNION ALL
    SELECT 3602, f.oid, 'text search configuration', f.cfgnamespace, NULL, f.cfgowner, false, false
    FROM pg_catalog.pg_ts_config f
    UNION ALL
    SELECT 3381, x.oid, 'statistics', x.stxnamespace, NULL, x.stxowner, false, false -- @from 10
    FROM pg_catalog.pg_statistic_ext x -- @from 10
    UNION ALL -- @from 10
    SELECT 2612, l.oid, 'language', NULL, NULL, l.lanowner, l.oid < 16384 OR l.lanname = 'plpgsql', false
    FROM pg_catalog.pg_language l WHERE l.lanpltrusted
    UNION ALL
    SELECT 2328, w.oid, 'foreign data wrapper', NULL, NULL, w.fdwowner, false, false
    FROM pg_catalog.pg_foreign_data_wrapper w
    UNION ALL
    SELECT 1417, v.oid, 'server', NULL, NULL, v.srvowner, false, false FROM pg_catalog.pg_foreign_server v
    UNION ALL
    SELECT 1262, d.oid, 'database', NULL, NULL, d.datdba, true, false
    FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
)
SELECT f.class, f.oid, f.word, CASE WHEN f.class = 1259 THEN n.nspname END, f.rel,
       CASE WHEN f.class = 1262 THEN 'the database'
            WHEN f.class <> 1259 THEN (SELECT i.identity FROM pg_catalog.pg_identify_object(
                                           f.class::pg_catalog.oid, f.oid, 0) AS i) END,
       pg_catalog.pg_get_userbyid(f.owner), pg_catalog.pg_has_role(f.owner, 'USAGE'), f.follows, f.definer, n.nspname
FROM found f
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = f.space
WHERE f.class = 1262 OR (f.class = 2615 AND f.oid = pg_catalog.to_regnamespace('public'))
   OR (f.class = 2612 AND f.oid = (SELECT l.oid FROM pg_catalog.pg_language l WHERE l.lanname = 'plpgsql'))
   OR CASE WHEN $1 IS NULL
           THEN f.oid >= 16384 AND COALESCE(n.nspname !~ '^(pg_|_timescaledb|timescaledb_|information_schema$|godwit$)', true)
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                                WHERE e.classid = f.class AND e.objid = f.oid AND e.deptype = 'e')
           ELSE (f.class::pg_catalog.oid, f.oid) IN (SELECT k.class, k.oid FROM kept k) END
ORDER BY f.class, f.oid
