-- Purpose: how many large objects the run brought. Parameters: $1 run. Columns: how many, bytes.
SELECT pg_catalog.count(*), COALESCE(pg_catalog.sum(j.size), 0)::bigint
  FROM godwit.large_object AS j WHERE j.run = $1::bigint
