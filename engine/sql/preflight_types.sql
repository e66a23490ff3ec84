-- Columns whose values mean something on this server only, or cannot be written anywhere: a type, or
-- what it is made of (domains, arrays, composites, ranges).
-- Columns: relation, column, type, the type inside it that is the cause, what is the matter:
-- refused (its input function takes nothing), gone (later versions
-- do not have it), library (its functions are in a C library of the
-- user's), local (it names objects, transactions or places of this server).
-- Ordered by relation, column.
WITH RECURSIVE part(type, inner_type) AS (
    SELECT t.oid, t.oid FROM pg_catalog.pg_type t
    WHERE t.oid IN (SELECT a.atttypid FROM pg_catalog.pg_attribute a
                    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
                    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
                      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast',
                                            'godwit'))
    UNION
    SELECT p.type, i.oid
    FROM part p
    JOIN pg_catalog.pg_type t ON t.oid = p.inner_type
    CROSS JOIN LATERAL (
        SELECT t.typbasetype AS oid WHERE t.typtype = 'd'
        UNION ALL
        SELECT t.typelem WHERE t.typelem <> 0 AND t.typlen = -1 AND t.typcategory = 'A'
        UNION ALL
        SELECT a.atttypid FROM pg_catalog.pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid
    ) i
), fault AS (
    SELECT p.type, p.inner_type,
           CASE WHEN n.nspname = 'pg_catalog' AND t.typname IN (
                         'pg_node_tree', 'pg_ndistinct', 'pg_dependencies', 'pg_mcv_list',
                         'pg_brin_bloom_summary', 'pg_brin_minmax_multi_summary', 'gtsvector')
                THEN 'refused'
                WHEN n.nspname = 'pg_catalog' AND t.typname IN ('abstime', 'reltime', 'tinterval', 'unknown')
                THEN 'gone'
                WHEN n.nspname = 'pg_catalog' AND (t.typname LIKE 'reg%' OR t.typname IN (
                         'oid', 'oidvector', 'xid', 'xid8', 'cid', 'tid', 'aclitem', 'pg_lsn',
                         'pg_snapshot', 'txid_snapshot'))
                THEN 'local'
                WHEN t.typtype = 'b' AND t.typcategory <> 'A' AND t.oid >= 16384
                     AND f.prolang = (SELECT l.oid FROM pg_catalog.pg_language l
                                      WHERE l.lanname = 'c')
                     AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend x
                                     WHERE x.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
                                       AND x.objid = t.oid AND x.deptype = 'e')
                THEN 'library' END AS matter
    FROM part p
    JOIN pg_catalog.pg_type t ON t.oid = p.inner_type
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_catalog.pg_proc f ON f.oid = t.typinput
)
SELECT a.attrelid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       pg_catalog.format_type(f.inner_type, NULL), f.matter
FROM fault f
JOIN pg_catalog.pg_attribute a ON a.atttypid = f.type AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE f.matter IS NOT NULL
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'godwit')
ORDER BY a.attrelid, a.attnum, f.inner_type;
