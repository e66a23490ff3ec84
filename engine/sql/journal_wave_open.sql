-- Purpose: puts leaves into a wave; their parts of an earlier wave are forgotten.
-- Parameters: $1 run, $2 wave, $3 sync_lsn, $4 JSON array of {"schema", "rel"}. Columns: none.
WITH leaf AS (
    SELECT j.schema, j.rel
      FROM pg_catalog.jsonb_to_recordset($4::jsonb) AS j (schema text, rel text)
), forgotten AS (
    DELETE FROM godwit.part AS p USING leaf AS l
     WHERE p.run = $1::bigint AND p.schema = l.schema AND p.rel = l.rel
)
INSERT INTO godwit.relation AS r (run, schema, rel, state, wave, sync_lsn)
SELECT $1::bigint, l.schema, l.rel, 'd', $2::bigint, $3::pg_lsn FROM leaf AS l
ON CONFLICT (run, schema, rel) DO UPDATE
   SET state = 'd', wave = excluded.wave, sync_lsn = excluded.sync_lsn, rows = 0, bytes = 0,
       updated_at = pg_catalog.clock_timestamp()
