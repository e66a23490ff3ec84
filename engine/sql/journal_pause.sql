-- Purpose: pauses a table; one that is paused stays so.
-- Parameters: $1 run, $2 schema, $3 rel, $4 target_schema, $5 target_rel, $6 oid, $7 why, $8 what to do. Columns: none.
INSERT INTO godwit.paused (run, schema, rel, target_schema, target_rel, oid, why, remedy)
VALUES ($1::bigint, $2, $3, $4, $5, $6::oid, $7, $8)
ON CONFLICT (run, schema, rel) DO NOTHING
