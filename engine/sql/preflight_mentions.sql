-- Functions of the source whose text names a table that bears another name on the target. What PostgreSQL resolves itself
-- (bodies in the SQL standard's form) is not text. $1 JSON array of {schema, rel, target}.
-- Columns: oid, function with its arguments, table, its name on the target.
SELECT p.oid, p.oid::pg_catalog.regprocedure::pg_catalog.text, pg_catalog.min(j.schema || '.' || j.rel), pg_catalog.min(j.target)
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_language l ON l.oid = p.prolang AND l.lanname NOT IN ('c', 'internal')
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
JOIN pg_catalog.jsonb_to_recordset($1::pg_catalog.jsonb) AS j (schema text, rel text, target text)
  ON p.prosrc ~ ('(^|[^[:alnum:]_])' || pg_catalog.regexp_replace(j.rel, '([^[:alnum:]_])', '\\\1', 'g') || '($|[^[:alnum:]_])')
WHERE p.oid >= 16384 AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'godwit')
GROUP BY p.oid
ORDER BY 2
