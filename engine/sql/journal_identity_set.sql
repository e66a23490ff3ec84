-- Purpose: records a replica identity before it is set; what was there before stays if it was recorded already.
-- Parameters: $1 run, $2 schema, $3 table, $4 previous identity, $5 previous index or NULL, $6 the one that is
-- set, $7 its index or NULL, $8 whether the run makes that index. Columns: none.
INSERT INTO godwit.identity (run, schema, rel, previous, previous_index, given, given_index, made_index)
VALUES ($1::bigint, $2, $3, $4::"char", $5, $6::"char", $7, $8::boolean)
ON CONFLICT (run, schema, rel) DO NOTHING
