-- How far a verification of a relation has come. Parameters: $1 run, $2 id, $3 schema, $4 relation, $5 basis.
-- Columns: ranged, from, to, ends, look (NULL: not yet), source rows, target rows; a row for each part, in order.
SELECT l.ranged, l.from_key, l.to_key, l.ends, l.look, l.source_rows, l.target_rows
  FROM godwit.looked AS l
 WHERE l.run = $1::bigint AND l.id = $2 AND l.schema = $3 AND l.rel = $4 AND l.basis = $5
 ORDER BY l.part
