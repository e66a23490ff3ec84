-- Everything that a schema archive can hold, of every kind, outside the system's schemas and
-- godwit's own: one row for each object.
-- Columns: class, oid, schema (NULL: in none), name, extension that it is a member of (0 none),
-- what it is called.
-- Ordered by class, oid.
WITH spaces AS (
    SELECT n.oid, n.nspname
    FROM pg_catalog.pg_namespace n
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'godwit')
      AND n.nspname !~ '^pg_(toast_)?temp_'
), found(class, oid, space, name, kind) AS (
    SELECT 2615::pg_catalog.oid, s.oid, NULL::pg_catalog.oid, s.nspname, 'schema'
    FROM spaces s
    UNION ALL
    SELECT 1259, c.oid, c.relnamespace, c.relname,
           CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table'
               WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
               WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' ELSE 'index' END
    FROM pg_catalog.pg_class c WHERE c.relkind <> 't'
    UNION ALL
    SELECT 1247, t.oid, t.typnamespace, t.typname,
           CASE t.typtype WHEN 'd' THEN 'domain' WHEN 'e' THEN 'enum' WHEN 'r' THEN 'range'
               ELSE 'type' END
    FROM pg_catalog.pg_type t
    UNION ALL
    SELECT 1255, p.oid, p.pronamespace, p.proname,
           CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END -- @from 11
           CASE WHEN p.proisagg THEN 'aggregate' ELSE 'function' END -- @before 11
    FROM pg_catalog.pg_proc p
    UNION ALL
    SELECT 3456, l.oid, l.collnamespace, l.collname, 'collation'
    FROM pg_catalog.pg_collation l
    UNION ALL
    SELECT 2607, v.oid, v.connamespace, v.conname, 'conversion'
    FROM pg_catalog.pg_conversion v
    UNION ALL
    SELECT 2617, o.oid, o.oprnamespace, o.oprname, 'operator'
    FROM pg_catalog.pg_operator o
    UNION ALL
    SELECT 2616, o.oid, o.opcnamespace, o.opcname, 'operator class'
    FROM pg_catalog.pg_opclass o
    UNION ALL
    SELECT 2753, o.oid, o.opfnamespace, o.opfname, 'operator family'
    FROM pg_catalog.pg_opfamily o
    UNION ALL
    SELECT 3600, d.oid, d.dictnamespace, d.dictname, 'text search dictionary'
    FROM pg_catalog.pg_ts_dict d
    UNION ALL
    SELECT 3601, p.oid, p.prsnamespace, p.prsname, 'text search parser'
    FROM pg_catalog.pg_ts_parser p
    UNION ALL
    SELECT 3602, f.oid, f.cfgnamespace, f.cfgname, 'text search configuration'
    FROM pg_catalog.pg_ts_config f
    UNION ALL
    SELECT 3764, t.oid, t.tmplnamespace, t.tmplname, 'text search template'
    FROM pg_catalog.pg_ts_template t
    UNION ALL
    SELECT 3381, x.oid, x.stxnamespace, x.stxname, 'statistics' -- @from 10
    FROM pg_catalog.pg_statistic_ext x -- @from 10
    UNION ALL -- @from 10
    SELECT 2606, k.oid, k.connamespace, k.conname, 'constraint'
    FROM pg_catalog.pg_constraint k
    UNION ALL
    SELECT 2620, g.oid, r.relnamespace, g.tgname, 'trigger'
    FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_class r ON r.oid = g.tgrelid
    JOIN pg_catalog.pg_proc gp ON gp.oid = g.tgfoid
    JOIN pg_catalog.pg_namespace gn ON gn.oid = gp.pronamespace AND gn.nspname !~ '^_timescaledb_'
    UNION ALL
    SELECT 2618, w.oid, r.relnamespace, w.rulename, 'rule'
    FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_class r ON r.oid = w.ev_class
    UNION ALL
    SELECT 2604, f.oid, r.relnamespace, a.attname, 'default'
    FROM pg_catalog.pg_attrdef f
    JOIN pg_catalog.pg_class r ON r.oid = f.adrelid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
    UNION ALL
    SELECT 3256, y.oid, r.relnamespace, y.polname, 'policy'
    FROM pg_catalog.pg_policy y JOIN pg_catalog.pg_class r ON r.oid = y.polrelid
    UNION ALL
    SELECT 3079, e.oid, NULL, e.extname, 'extension' FROM pg_catalog.pg_extension e
    UNION ALL
    SELECT 2605, c.oid, NULL,
           (pg_catalog.format_type(c.castsource, NULL) || ' AS '
               || pg_catalog.format_type(c.casttarget, NULL))::pg_catalog.name, 'cast'
    FROM pg_catalog.pg_cast c
    UNION ALL
    SELECT 3576, t.oid, NULL, pg_catalog.format_type(t.trftype, NULL)::pg_catalog.name, 'transform'
    FROM pg_catalog.pg_transform t
    UNION ALL
    SELECT 2612, l.oid, NULL, l.lanname, 'language' FROM pg_catalog.pg_language l
    UNION ALL
    SELECT 2328, w.oid, NULL, w.fdwname, 'foreign data wrapper'
    FROM pg_catalog.pg_foreign_data_wrapper w
    UNION ALL
    SELECT 1417, v.oid, NULL, v.srvname, 'server' FROM pg_catalog.pg_foreign_server v
    UNION ALL
    SELECT 3466, e.oid, NULL, e.evtname, 'event trigger' FROM pg_catalog.pg_event_trigger e
)
SELECT f.class, f.oid, s.nspname, f.name, COALESCE(x.refobjid, 0), f.kind
FROM found f
LEFT JOIN spaces s ON s.oid = f.space
LEFT JOIN pg_catalog.pg_depend x
       ON x.classid = f.class AND x.objid = f.oid AND x.refclassid = 3079 AND x.deptype = 'e'
WHERE (f.space IS NULL OR s.oid IS NOT NULL)
  AND (f.oid >= 16384 OR f.class = 2615)
ORDER BY f.class, f.oid;
