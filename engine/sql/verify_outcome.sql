-- What a verify entry of the plan has found so far in this run. Parameters: $1 run, $2 id.
-- Columns: relations looked at, relations with differences, differences.
SELECT pg_catalog.count(*),
       pg_catalog.count(*) FILTER (WHERE differences > 0),
       COALESCE(pg_catalog.sum(differences), 0)::bigint
FROM godwit.verification
WHERE run = $1::bigint AND id = $2
