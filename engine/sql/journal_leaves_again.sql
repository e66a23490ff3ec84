-- Purpose: leaves are to be copied anew; their parts are forgotten.
-- Parameters: $1 run, $2 JSON array of {"schema", "rel"}. Columns: none.
WITH leaf AS (
    SELECT j.schema, j.rel
      FROM pg_catalog.jsonb_to_recordset($2::jsonb) AS j (schema text, rel text)
), forgotten AS (
    DELETE FROM godwit.part AS p USING leaf AS l
     WHERE p.run = $1::bigint AND p.schema = l.schema AND p.rel = l.rel
)
UPDATE godwit.relation AS r
   SET state = 'i', rows = 0, bytes = 0, updated_at = pg_catalog.clock_timestamp()
  FROM leaf AS l
 WHERE r.run = $1::bigint AND r.schema = l.schema AND r.rel = l.rel
