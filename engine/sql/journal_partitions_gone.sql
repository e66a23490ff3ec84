-- Purpose: partitions that went on the source, with their rows: the stream may still send changes from before.
-- Parameters: $1 run, $2 JSON array of oids, as texts. Columns: none.
UPDATE godwit.partition AS p
   SET gone_at = pg_catalog.clock_timestamp()
  FROM pg_catalog.jsonb_array_elements_text($2::jsonb) AS j (oid)
 WHERE p.run = $1::bigint AND p.oid = j.oid::oid AND p.gone_at IS NULL
