-- Purpose: how many of these leaves the journal does not have as copied.
-- Parameters: $1 run, $2 schemas, $3 names (arrays of one length). Columns: left.
SELECT count(*) FILTER (WHERE r.state IS NULL OR r.state NOT IN ('f', 's', 'r'))
  FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) AS l (schema, rel)
  LEFT JOIN godwit.relation AS r ON r.run = $1::bigint AND r.schema = l.schema AND r.rel = l.rel
