-- Triggers and rules that fire under replica role, and row security that binds owners.
-- $1 relation oids (array). Columns: kind (T trigger R rule Z row security), key as in
-- schema_objects, schema, relation, name, enabled letter, CREATE statement (NULL: it comes with its
-- partitioned parent), comment. Parents stand before the partitions' clones.
WITH RECURSIVE up (oid, root_enabled, depth) AS (
    SELECT t.oid, t.tgenabled, 0 FROM pg_catalog.pg_trigger t
    WHERE COALESCE(pg_catalog.to_jsonb(t) ->> 'tgparentid', '0') = '0'
    UNION ALL
    SELECT t.oid, u.root_enabled, u.depth + 1 FROM pg_catalog.pg_trigger t JOIN up u
        ON (pg_catalog.to_jsonb(t) ->> 'tgparentid') = u.oid::pg_catalog.text
), late (class_oid, oid, relation, kind, name, enabled, sql, depth) AS (
    SELECT 2620::pg_catalog.oid, t.oid, t.tgrelid, 'T', t.tgname, t.tgenabled,
           CASE WHEN u.depth = 0 THEN pg_catalog.pg_get_triggerdef(t.oid) END, u.depth
    FROM pg_catalog.pg_trigger t JOIN up u USING (oid)
    WHERE NOT t.tgisinternal AND (t.tgenabled IN ('A', 'R') OR u.root_enabled IN ('A', 'R'))
    UNION ALL
    SELECT 2618, w.oid, w.ev_class, 'R', w.rulename, w.ev_enabled,
           pg_catalog.pg_get_ruledef(w.oid), 0
    FROM pg_catalog.pg_rewrite w WHERE w.rulename <> '_RETURN' AND w.ev_enabled IN ('A', 'R')
    UNION ALL
    SELECT 1259, c.oid, c.oid, 'Z', '', '', NULL, 0
    FROM pg_catalog.pg_class c WHERE c.relrowsecurity AND c.relforcerowsecurity
)
SELECT l.kind, a.type || a.object_names::pg_catalog.text || a.object_args::pg_catalog.text,
       n.nspname, c.relname, l.name, l.enabled, l.sql,
       CASE WHEN l.kind <> 'Z' THEN pg_catalog.obj_description(l.oid, CASE l.kind
           WHEN 'T' THEN 'pg_trigger' ELSE 'pg_rewrite' END) END
FROM late l
JOIN pg_catalog.pg_class c ON c.oid = l.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_catalog.pg_identify_object_as_address(l.class_oid, l.oid, 0) a
WHERE l.relation = ANY ($1::pg_catalog.oid[])
ORDER BY l.depth, l.kind, n.nspname COLLATE "C", c.relname COLLATE "C", l.name COLLATE "C"
