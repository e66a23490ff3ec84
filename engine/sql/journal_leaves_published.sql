-- Purpose: what publishes leaves under the snapshot of their copy.
-- Parameters: $1 run, $2 JSON array of {"schema", "rel", "published"}. Columns: none.
UPDATE godwit.relation AS r
   SET published = j.published
  FROM pg_catalog.jsonb_to_recordset($2::jsonb) AS j (schema text, rel text, published text)
 WHERE r.run = $1::bigint AND r.schema = j.schema AND r.rel = j.rel
