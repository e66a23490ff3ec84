-- Purpose: a table is paused no more. Parameters: $1 run, $2 schema, $3 rel. Columns: none.
DELETE FROM godwit.paused WHERE run = $1::bigint AND schema = $2 AND rel = $3
