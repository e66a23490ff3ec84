-- Purpose: a divided leaf is copied, if the journal has all its parts: they committed without waiting for the disk,
-- and a crash of the target may have taken some that the engine counted already.
-- Parameters: $1 run, $2 schema, $3 rel, $4 wave, $5 number of parts. Columns: copied.
WITH whole AS (
    SELECT pg_catalog.count(*) = $5::bigint AS is_there
      FROM godwit.part AS p
     WHERE p.run = $1::bigint AND p.schema = $2 AND p.rel = $3 AND p.wave = $4::bigint
), moved AS (
    UPDATE godwit.relation AS r
       SET state = 'f', updated_at = pg_catalog.clock_timestamp()
      FROM whole AS w
     WHERE w.is_there AND r.run = $1::bigint AND r.schema = $2 AND r.rel = $3
    RETURNING r.rel
)
SELECT w.is_there FROM whole AS w
