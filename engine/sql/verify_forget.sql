-- Nothing that any verification of the run found the same is so any more. Parameters: $1 run. Columns: none.
WITH looked AS (
    DELETE FROM godwit.looked WHERE run = $1::bigint
)
DELETE FROM godwit.touched WHERE run = $1::bigint
