-- Purpose: password hashes. Parameters: $1 names of roles (JSON array). Columns: role, hash.
SELECT a.rolname, a.rolpassword FROM pg_catalog.pg_authid a
WHERE a.rolpassword IS NOT NULL
  AND a.rolname IN (SELECT j.name FROM pg_catalog.jsonb_array_elements_text($1::pg_catalog.jsonb) AS j (name))
ORDER BY a.rolname::text COLLATE "C"
