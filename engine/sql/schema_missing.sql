-- Which of these schemas the target does not have. $1 JSON array of names. Columns: name.
SELECT j.name
FROM pg_catalog.jsonb_array_elements_text($1::pg_catalog.jsonb) AS j (name)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace n WHERE n.nspname = j.name)
ORDER BY j.name
