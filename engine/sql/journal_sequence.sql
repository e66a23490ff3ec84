-- Purpose: what a sequence was set to. Parameters: $1 run, $2 JSON array of {schema, rel, last_value, is_called}.
-- Columns: none.
INSERT INTO godwit.sequence (run, schema, rel, last_value, is_called)
SELECT $1::bigint, j.schema, j.rel, j.last_value, j.is_called
  FROM pg_catalog.jsonb_to_recordset($2::jsonb) AS j (schema text, rel text, last_value bigint, is_called boolean)
ON CONFLICT (run, schema, rel) DO UPDATE
   SET last_value = excluded.last_value, is_called = excluded.is_called, set_at = pg_catalog.clock_timestamp()
