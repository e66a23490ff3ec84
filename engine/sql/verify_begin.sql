-- A verification of a relation begins from nothing: its parts, none looked at. What was touched before is no news then,
-- unless another verification stands on it. Behind verify_lock_lanes.sql, in its transaction. Parameters: $1 run, $2 id,
-- $3 schema, $4 relation, $5 basis, $6 ranged, $7 from, $8 to, $9 ends (arrays, one element for each part), $10 schemas
-- and $11 names of all that is merged into it. Columns: none.
WITH gone AS (
    DELETE FROM godwit.looked AS l
     WHERE l.run = $1::bigint AND l.id = $2 AND l.schema = $3 AND l.rel = $4
       AND l.part >= pg_catalog.cardinality($7::text[])
), forgotten AS (
    DELETE FROM godwit.touched AS t
     USING ROWS FROM (pg_catalog.unnest($10::text[]), pg_catalog.unnest($11::text[])) AS n (schema, rel)
     WHERE t.run = $1::bigint AND t.schema = n.schema AND t.rel = n.rel
       AND NOT EXISTS (SELECT FROM godwit.looked AS o
                        WHERE o.run = $1::bigint AND o.id <> $2 AND o.schema = $3 AND o.rel = $4)
)
INSERT INTO godwit.looked AS l (run, id, schema, rel, part, basis, ranged, from_key, to_key, ends)
SELECT $1::bigint, $2, $3, $4, p.part - 1, $5, $6::"char", p.from_key, p.to_key, p.ends
  FROM ROWS FROM (pg_catalog.unnest($7::text[]), pg_catalog.unnest($8::text[]), pg_catalog.unnest($9::text[]))
       WITH ORDINALITY AS p (from_key, to_key, ends, part)
ON CONFLICT (run, id, schema, rel, part) DO UPDATE
   SET basis = excluded.basis, ranged = excluded.ranged, from_key = excluded.from_key, to_key = excluded.to_key,
       ends = excluded.ends, look = NULL, source_rows = 0, target_rows = 0, looked_at = NULL
