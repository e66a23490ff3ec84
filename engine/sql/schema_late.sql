-- Triggers and rules of a source that fire under replica role, and row security that binds owners.
-- Read during the downtime: looks at nothing else.
-- $1: triggers and rules that fire as origin too (apply cannot be under replica role). Columns: class oid, oid, kind (T trigger R rule Z row security), schema, relation,
-- name, enabled letter, CREATE statement (NULL: it comes with its partitioned parent), comment.
-- Parents stand before the partitions' clones.
WITH RECURSIVE up (oid, root_enabled, depth) AS (
    SELECT t.oid, t.tgenabled, 0 FROM pg_catalog.pg_trigger t
    WHERE NOT t.tgisinternal AND COALESCE(pg_catalog.to_jsonb(t) ->> 'tgparentid', '0') = '0'
    UNION ALL
    SELECT t.oid, u.root_enabled, u.depth + 1 FROM pg_catalog.pg_trigger t JOIN up u
        ON (pg_catalog.to_jsonb(t) ->> 'tgparentid') = u.oid::pg_catalog.text
), late (class_oid, oid, relation, kind, name, enabled, sql, depth) AS (
    SELECT 2620::pg_catalog.oid, t.oid, t.tgrelid, 'T', t.tgname, t.tgenabled,
           CASE WHEN u.depth = 0 THEN pg_catalog.pg_get_triggerdef(t.oid) END, u.depth
    FROM pg_catalog.pg_trigger t JOIN up u ON u.oid = t.oid
    WHERE t.tgenabled IN ('A', 'R') OR u.root_enabled IN ('A', 'R')
       OR ($1::pg_catalog.bool AND (t.tgenabled <> 'D' OR u.root_enabled <> 'D'))
    UNION ALL
    SELECT 2618, w.oid, w.ev_class, 'R', w.rulename, w.ev_enabled,
           pg_catalog.pg_get_ruledef(w.oid), 0
    FROM pg_catalog.pg_rewrite w
    WHERE w.rulename <> '_RETURN'
      AND (w.ev_enabled IN ('A', 'R') OR ($1::pg_catalog.bool AND w.ev_enabled <> 'D'))
    UNION ALL
    SELECT 1259, c.oid, c.oid, 'Z', '', '', NULL, 0
    FROM pg_catalog.pg_class c WHERE c.relrowsecurity AND c.relforcerowsecurity
)
SELECT l.class_oid, l.oid, l.kind, n.nspname, c.relname, l.name, l.enabled, l.sql,
       CASE l.kind WHEN 'T' THEN pg_catalog.obj_description(l.oid, 'pg_trigger')
                   WHEN 'R' THEN pg_catalog.obj_description(l.oid, 'pg_rewrite') END
FROM late l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY l.depth, l.kind, n.nspname::text COLLATE "C", c.relname::text COLLATE "C", l.name::text COLLATE "C"
