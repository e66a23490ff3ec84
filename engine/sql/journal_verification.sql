-- Purpose: what a verification found. Parameters: $1 run, $2 id, $3 schema, $4 rel, $5 source rows, $6 target rows,
-- $7 differences. Columns: none.
INSERT INTO godwit.verification (run, id, schema, rel, source_rows, target_rows, differences)
VALUES ($1::bigint, $2, $3, $4, $5::bigint, $6::bigint, $7::bigint)
ON CONFLICT (run, id, schema, rel) DO UPDATE
   SET source_rows = excluded.source_rows, target_rows = excluded.target_rows,
       differences = excluded.differences, verified_at = pg_catalog.clock_timestamp()
