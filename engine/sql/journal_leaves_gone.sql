-- Purpose: forgets leaves that are on neither side any more, and their parts.
-- Parameters: $1 run, $2 JSON array of {"schema", "rel"}. Columns: none.
DELETE FROM godwit.relation AS r
 USING pg_catalog.jsonb_to_recordset($2::jsonb) AS j (schema text, rel text)
 WHERE r.run = $1::bigint AND r.schema = j.schema AND r.rel = j.rel
