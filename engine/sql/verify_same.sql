-- A part was found the same. Parameters: $1 run, $2 id, $3 schema, $4 relation, $5 part, $6 the look that found it,
-- $7 source rows, $8 target rows, $9 basis, $10 from and $11 to, as they were looked at. Columns: none.
UPDATE godwit.looked AS l
   SET look = $6::bigint, source_rows = $7::bigint, target_rows = $8::bigint,
       looked_at = pg_catalog.clock_timestamp()
 WHERE l.run = $1::bigint AND l.id = $2 AND l.schema = $3 AND l.rel = $4 AND l.part = $5::integer AND l.basis = $9
   AND l.from_key = $10 AND l.to_key = $11
