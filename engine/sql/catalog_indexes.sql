-- Every index of the tables that catalog_relations shows. A partitioned index's definition says
-- ONLY right after what comes before the table's name; it is left out there and nowhere else.
-- Columns: oid, relation, schema, name, unique, primary, valid, immediate, partial,
-- has expressions, exclusion, clustered, key columns' numbers, definition, constraint, bytes,
-- partitioned index it is attached to.
-- Ordered by relation, oid.
SELECT i.indexrelid,
       i.indrelid,
       n.nspname,
       c.relname,
       i.indisunique,
       i.indisprimary,
       i.indisvalid AND i.indisready,
       i.indimmediate,
       i.indpred IS NOT NULL,
       i.indexprs IS NOT NULL,
       i.indisexclusion,
       i.indisclustered,
       pg_catalog.array_to_string((i.indkey::pg_catalog.int2[])[0:i.indnkeyatts - 1], ' '), -- @from 11
       pg_catalog.array_to_string(i.indkey::pg_catalog.int2[], ' '), -- @before 11
       CASE WHEN pg_catalog.starts_with(d.sql, d.head || 'ONLY ') AND c.relkind = 'I' -- @from 11
            THEN d.head || pg_catalog.substr(d.sql, pg_catalog.length(d.head) + 6) -- @from 11
            ELSE d.sql END, -- @from 11
       d.sql, -- @before 11
       COALESCE(k.oid, 0),
       CASE WHEN c.relkind = 'i'
            THEN COALESCE(pg_catalog.pg_relation_size(c.oid), 0) ELSE 0 END,
       COALESCE(h.inhparent, 0)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class r ON r.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT pg_catalog.pg_get_indexdef(i.indexrelid) AS sql,
           'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX '
               || pg_catalog.quote_ident(c.relname) || ' ON ' AS head
) d
LEFT JOIN pg_catalog.pg_constraint k
       ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')
LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = i.indexrelid
WHERE r.relkind IN ('r', 'p', 'm')
  AND r.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'godwit')
ORDER BY i.indrelid, i.indexrelid;
