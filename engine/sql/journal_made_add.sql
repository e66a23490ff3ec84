-- Purpose: marks objects of the target as made by a plan: those of a list that the open transaction has created.
-- Parameters: $1 plan, $2 the run's mark, $3 class oids, $4 oids (two arrays of one length). Columns: none.
WITH mine AS (
    SELECT (pg_catalog.txid_current() % 4294967296)::pg_catalog.text::pg_catalog.xid AS xid
), created (class, object) AS (
    SELECT 1259, c.oid FROM pg_catalog.pg_class c, mine m WHERE c.xmin = m.xid
    UNION ALL
    SELECT 1255, p.oid FROM pg_catalog.pg_proc p, mine m WHERE p.xmin = m.xid
    UNION ALL
    SELECT 1247, t.oid FROM pg_catalog.pg_type t, mine m WHERE t.xmin = m.xid
    UNION ALL
    SELECT 3456, l.oid FROM pg_catalog.pg_collation l, mine m WHERE l.xmin = m.xid
    UNION ALL
    SELECT 2607, v.oid FROM pg_catalog.pg_conversion v, mine m WHERE v.xmin = m.xid
    UNION ALL
    SELECT 2617, o.oid FROM pg_catalog.pg_operator o, mine m WHERE o.xmin = m.xid
    UNION ALL
    SELECT 2616, o.oid FROM pg_catalog.pg_opclass o, mine m WHERE o.xmin = m.xid
    UNION ALL
    SELECT 2753, o.oid FROM pg_catalog.pg_opfamily o, mine m WHERE o.xmin = m.xid
    UNION ALL
    SELECT 3600, d.oid FROM pg_catalog.pg_ts_dict d, mine m WHERE d.xmin = m.xid
    UNION ALL
    SELECT 3602, f.oid FROM pg_catalog.pg_ts_config f, mine m WHERE f.xmin = m.xid
)
INSERT INTO godwit.made (name, mark, class, object)
SELECT $1, $2, w.class, w.object
FROM ROWS FROM (pg_catalog.unnest($3::pg_catalog.oid[]), pg_catalog.unnest($4::pg_catalog.oid[])) AS w (class, object)
JOIN created c ON c.class::pg_catalog.oid = w.class AND c.object = w.object
ON CONFLICT (class, object) DO UPDATE SET name = EXCLUDED.name, mark = EXCLUDED.mark
