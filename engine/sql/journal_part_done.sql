-- Purpose: records a finished part, inside the transaction that wrote its rows.
-- Parameters: $1 run, $2 schema, $3 rel, $4 wave, $5 part, $6 range, $7 rows read, $8 rows written, $9 bytes.
-- Columns: none.
WITH part AS (
    INSERT INTO godwit.part (run, schema, rel, wave, part, range, rows_read, rows_written, bytes)
    VALUES ($1::bigint, $2, $3, $4::bigint, $5::integer, $6, $7::bigint, $8::bigint, $9::bigint)
    RETURNING run, schema, rel, rows_written, bytes
)
UPDATE godwit.relation AS r
   SET rows = r.rows + p.rows_written, bytes = r.bytes + p.bytes, updated_at = pg_catalog.clock_timestamp()
  FROM part AS p
 WHERE r.run = p.run AND r.schema = p.schema AND r.rel = p.rel
