-- Every constraint of the tables that catalog_relations shows. NOT VALID is left out of the text
-- and told apart.
-- Columns: oid, relation, name, type, definition, validated, deferrable, referenced relation,
-- constraint it is inherited from.
-- Ordered by relation, oid.
SELECT k.oid,
       k.conrelid,
       k.conname,
       k.contype,
       CASE WHEN NOT k.convalidated AND pg_catalog.right(d.sql, 10) = ' NOT VALID'
            THEN pg_catalog.left(d.sql, -10)
            ELSE d.sql END,
       k.convalidated,
       k.condeferrable,
       k.confrelid,
       k.conparentid -- @from 11
       0 -- @before 11
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class r ON r.oid = k.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
CROSS JOIN LATERAL (SELECT pg_catalog.pg_get_constraintdef(k.oid) AS sql) d
WHERE r.relkind IN ('r', 'p', 'f')
  AND r.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'godwit')
ORDER BY k.conrelid, k.oid;
