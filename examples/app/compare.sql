-- compare.sql: what one server's copy of the example database holds, as lines that can be compared.
--
-- Lines are kind|object|value. `rows` has the number of rows and an order-free sum of the hashes of
-- their texts; `sequence` its position; `object` stands for something that must exist by name and
-- kind. Used by compare.sh, which knows nothing of godwit: only psql and what the servers say.

\set ON_ERROR_STOP on
\pset tuples_only on
\pset format unaligned
SET client_min_messages = warning;
SET search_path = pg_catalog;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SET extra_float_digits = 1;
SET bytea_output = 'hex';
SET max_parallel_workers_per_gather = 0;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;

SELECT format('SELECT %L, count(*) || %L || coalesce(sum((''x'' || substr(md5(ROW(%s)::text), 1, 16))'
              '::bit(64)::bigint::numeric), 0) FROM %I.%I',
              format('rows|%I.%I', s.nspname, c.relname), ' rows, sum ',
              string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C"),
              s.nspname, c.relname)
FROM pg_class c
JOIN pg_namespace s ON s.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND s.nspname IN ('ref', 'app', 'billing', 'telemetry', 'Legacy Shop')
  AND (s.nspname, c.relname) <> ('app', 'import_scratch')
GROUP BY s.nspname, c.relname
ORDER BY s.nspname COLLATE "C", c.relname COLLATE "C"
\gexec

SELECT format('SELECT %L, last_value || %L || is_called FROM %I.%I',
              format('sequence|%I.%I', s.nspname, c.relname), ' called ', s.nspname, c.relname)
FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
WHERE c.relkind = 'S' AND s.nspname IN ('ref', 'app', 'billing', 'telemetry', 'Legacy Shop')
ORDER BY s.nspname COLLATE "C", c.relname COLLATE "C"
\gexec

SELECT format('object|%s|%s', what, name)
FROM (
    SELECT CASE c.relkind WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'v' THEN 'view'
                          WHEN 'm' THEN 'materialized view' ELSE 'table' END AS what,
           s.nspname AS schema, format('%I.%I', s.nspname, c.relname) AS name
    FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'i', 'I', 'v', 'm') AND NOT c.relispartition
    UNION ALL
    SELECT CASE k.contype WHEN 'f' THEN 'foreign key' WHEN 'c' THEN 'check' WHEN 'p' THEN 'primary key'
                          WHEN 'u' THEN 'unique' ELSE 'exclusion' END,
           s.nspname, format('%I.%I.%I', s.nspname, c.relname, k.conname)
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace s ON s.oid = c.relnamespace
    WHERE k.contype IN ('f', 'c', 'p', 'u', 'x') AND NOT c.relispartition AND k.conparentid = 0
    UNION ALL
    SELECT 'trigger', s.nspname, format('%I.%I.%I', s.nspname, c.relname, t.tgname)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace s ON s.oid = c.relnamespace
    WHERE NOT t.tgisinternal AND NOT c.relispartition
    UNION ALL
    SELECT 'rule', s.nspname, format('%I.%I.%I', s.nspname, c.relname, r.rulename)
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace s ON s.oid = c.relnamespace
    WHERE r.rulename <> '_RETURN'
    UNION ALL
    SELECT 'function', s.nspname, format('%I.%I(%s)', s.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
    FROM pg_proc p JOIN pg_namespace s ON s.oid = p.pronamespace
    UNION ALL
    SELECT 'type', s.nspname, format('%I.%I', s.nspname, t.typname)
    FROM pg_type t JOIN pg_namespace s ON s.oid = t.typnamespace
    WHERE t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c'
          AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')
    UNION ALL
    SELECT 'comment', s.nspname, format('%I.%I %s: %s', s.nspname, c.relname, d.objsubid, left(md5(d.description), 8))
    FROM pg_description d JOIN pg_class c ON c.oid = d.objoid AND d.classoid = 'pg_class'::regclass
    JOIN pg_namespace s ON s.oid = c.relnamespace
    WHERE d.objsubid = 0
    UNION ALL
    SELECT 'statistics', s.nspname, format('%I.%I', s.nspname, x.stxname)
    FROM pg_statistic_ext x JOIN pg_namespace s ON s.oid = x.stxnamespace
) o
WHERE schema IN ('ref', 'app', 'billing', 'telemetry', 'Legacy Shop')
  AND name NOT LIKE 'app.import\_scratch%'
ORDER BY what COLLATE "C", name COLLATE "C";
COMMIT;
