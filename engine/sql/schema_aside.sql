-- What on the target bears one of these names and has nothing to do with the run: how to rename it for the length of a
-- transaction, and back. $1 JSON array of {schema, rel}. Columns: away, back.
SELECT pg_catalog.format('ALTER %s %I.%I RENAME TO %I', k.kind, s.nspname, c.relname, k.aside),
       pg_catalog.format('ALTER %s %I.%I RENAME TO %I', k.kind, s.nspname, k.aside, c.relname)
FROM pg_catalog.jsonb_to_recordset($1::pg_catalog.jsonb) AS j (schema text, rel text)
JOIN pg_catalog.pg_namespace s ON s.nspname = j.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = j.rel
CROSS JOIN LATERAL (
    SELECT CASE WHEN c.relkind = 'c' THEN 'TYPE' WHEN c.relkind IN ('i', 'I') THEN 'INDEX' ELSE 'TABLE' END,
           pg_catalog.format('godwit_aside_%s', c.oid)) AS k (kind, aside)
ORDER BY c.oid
