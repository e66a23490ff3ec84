-- Purpose: whether a part is recorded, after a commit whose answer got lost.
-- Parameters: $1 run, $2 schema, $3 rel, $4 wave, $5 part. Columns: done.
SELECT EXISTS (SELECT FROM godwit.part AS p
                WHERE p.run = $1::bigint AND p.schema = $2 AND p.rel = $3
                  AND p.wave = $4::bigint AND p.part = $5::integer)
