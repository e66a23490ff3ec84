-- Every user object of a database that the schema steps look at, by the same words on any server.
-- $1: whether everything that acts on rows is late. $2 JSON array of relations that bear another name on the other server,
-- {oid, from_schema, from_rel, schema, rel}: keys are written with that one. Extension members, temporary objects,
-- TimescaleDB's own schemas are left out.
-- Columns: class oid, oid, relation it stands on (0 none), kind, key, state, late.
--   kind: t table  v view  m materialized view  S sequence  c composite type  i index  f function
--         y other type  T trigger  R rule  P policy  s statistics  k check constraint
--         Z row security  D default  O other: collations, conversions, operators, text search
--   key:   what identifies the object on every server (type, names, arguments as arrays)
--   state: what is compared beside the key
--   late:  made after the drain: it fires or filters under session_replication_role = replica, or
--          ($1) apply cannot be under it, and it is not disabled
WITH RECURSIVE rename AS (
    SELECT r.oid, r.schema, r.rel, r.from_schema,
           pg_catalog.format('%I.%I', r.from_schema, r.from_rel) AS old_type,
           pg_catalog.format('%I.%I', r.schema, r.rel) AS new_type
    FROM pg_catalog.jsonb_to_recordset($2::pg_catalog.jsonb)
        AS r (oid pg_catalog.oid, from_schema text, from_rel text, schema text, rel text)
), trigger_root (oid, enabled) AS (
    SELECT t.oid, t.tgenabled FROM pg_catalog.pg_trigger t
    WHERE COALESCE(pg_catalog.to_jsonb(t) ->> 'tgparentid', '0') = '0'
    UNION ALL
    SELECT t.oid, r.enabled FROM pg_catalog.pg_trigger t JOIN trigger_root r
        ON (pg_catalog.to_jsonb(t) ->> 'tgparentid') = r.oid::pg_catalog.text
), object (class_oid, oid, owner, kind, state, late) AS (
    SELECT 1259, c.oid, 0::pg_catalog.oid,
           CASE WHEN c.relkind IN ('r', 'p', 'f') THEN 't' WHEN c.relkind = 'I' THEN 'i'
                ELSE c.relkind END::pg_catalog.text,
           CASE WHEN c.relkind <> 'v' THEN ''
                WHEN EXISTS (SELECT FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_depend d
                             ON d.classid = 2618 AND d.objid = w.oid AND d.refclassid = 1259
                             AND d.refobjid <> c.oid
                             WHERE w.ev_class = c.oid AND w.rulename = '_RETURN') THEN 'reads'
                ELSE 'constant' END, false
    FROM pg_catalog.pg_class c
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c') AND c.relpersistence <> 't'
    UNION ALL
    SELECT 1259, i.indexrelid, i.indrelid, 'i', '', false FROM pg_catalog.pg_index i
    UNION ALL
    SELECT 1255, p.oid, 0, 'f', '', false FROM pg_catalog.pg_proc p
    UNION ALL
    SELECT 1247, y.oid, 0, 'y', '', false FROM pg_catalog.pg_type y
    WHERE y.typtype IN ('d', 'e', 'r') OR (y.typtype = 'b' AND y.typcategory <> 'A')
    UNION ALL
    SELECT 3456, l.oid, 0, 'O', '', false FROM pg_catalog.pg_collation l
    UNION ALL
    SELECT 2607, v.oid, 0, 'O', '', false FROM pg_catalog.pg_conversion v
    UNION ALL
    SELECT 2617, r.oid, 0, 'O', '', false FROM pg_catalog.pg_operator r
    UNION ALL
    SELECT 2616, r.oid, 0, 'O', '', false FROM pg_catalog.pg_opclass r
    UNION ALL
    SELECT 2753, r.oid, 0, 'O', '', false FROM pg_catalog.pg_opfamily r
    UNION ALL
    SELECT 3600, d.oid, 0, 'O', '', false FROM pg_catalog.pg_ts_dict d
    UNION ALL
    SELECT 3602, f.oid, 0, 'O', '', false FROM pg_catalog.pg_ts_config f
    UNION ALL
    SELECT 2620, t.oid, t.tgrelid, 'T', t.tgenabled::pg_catalog.text,
           t.tgenabled IN ('A', 'R') OR r.enabled IN ('A', 'R')
               OR ($1::pg_catalog.bool AND (t.tgenabled <> 'D' OR r.enabled <> 'D'))
    FROM pg_catalog.pg_trigger t JOIN trigger_root r ON r.oid = t.oid WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 2618, w.oid, w.ev_class, 'R', w.ev_enabled::pg_catalog.text,
           w.ev_enabled IN ('A', 'R') OR ($1::pg_catalog.bool AND w.ev_enabled <> 'D')
    FROM pg_catalog.pg_rewrite w WHERE w.rulename <> '_RETURN'
    UNION ALL
    SELECT 3256, p.oid, p.polrelid, 'P', '', false FROM pg_catalog.pg_policy p
    UNION ALL
    SELECT 3381, s.oid, s.stxrelid, 's', '', false FROM pg_catalog.pg_statistic_ext s -- @from 10
    UNION ALL -- @from 10
    SELECT 2606, k.oid, k.conrelid, 'k', '', false
    FROM pg_catalog.pg_constraint k WHERE k.contype = 'c' AND k.conrelid <> 0
    UNION ALL
    SELECT 0, c.oid, c.oid, 'Z', '', c.relforcerowsecurity
    FROM pg_catalog.pg_class c WHERE c.relrowsecurity
    UNION ALL
    SELECT 2604, a.oid, a.adrelid, 'D', '', false FROM pg_catalog.pg_attrdef a
)
SELECT o.class_oid, o.oid, o.owner, o.kind,
       CASE WHEN o.kind <> 'D' THEN
           a.type || n.names::pg_catalog.text || n.args::pg_catalog.text END,
       o.state, o.late
FROM object o
LEFT JOIN pg_catalog.pg_class c ON c.oid = CASE WHEN o.owner = 0 THEN o.oid ELSE o.owner END
    AND (o.class_oid = 1259 OR o.owner <> 0)
CROSS JOIN LATERAL pg_catalog.pg_identify_object_as_address(
    CASE WHEN o.class_oid = 0 THEN 1259 ELSE o.class_oid END::pg_catalog.oid, o.oid, 0) a
LEFT JOIN rename r ON r.oid = CASE WHEN o.owner = 0 OR o.kind = 'i' THEN o.oid ELSE o.owner END
    AND (o.class_oid IN (0, 1259) OR o.owner <> 0)
CROSS JOIN LATERAL (
    SELECT CASE WHEN r.oid IS NULL OR (o.kind = 's' AND a.object_names[1] <> r.from_schema) THEN a.object_names
                WHEN o.kind = 's' THEN ARRAY[r.schema, a.object_names[2]]
                ELSE ARRAY[r.schema, r.rel] || a.object_names[3:pg_catalog.array_length(a.object_names, 1)] END,
           CASE WHEN o.class_oid <> 1255 OR $2::pg_catalog.jsonb = '[]' THEN a.object_args
                ELSE ARRAY(SELECT COALESCE(t.new_type || pg_catalog.substr(g.arg, pg_catalog.length(t.old_type) + 1), g.arg)
                           FROM pg_catalog.unnest(a.object_args) WITH ORDINALITY AS g (arg, place)
                           LEFT JOIN rename t ON g.arg IN (t.old_type, t.old_type || '[]') ORDER BY g.place) END
    ) AS n (names, args)
WHERE o.oid >= 16384
  AND COALESCE(c.relpersistence <> 't' AND c.relkind <> 't', true)
  AND COALESCE(c.relnamespace::pg_catalog.regnamespace::pg_catalog.text
               !~ '^(_timescaledb|timescaledb_|pg_toast)', true)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.classid = CASE WHEN o.owner <> 0 THEN 1259 ELSE o.class_oid END
                    AND e.objid = CASE WHEN o.owner <> 0 THEN o.owner ELSE o.oid END
                    AND e.deptype = 'e')
ORDER BY o.kind, a.object_names::pg_catalog.text COLLATE "C",
         a.object_args::pg_catalog.text COLLATE "C", o.oid
