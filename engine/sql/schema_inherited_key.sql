-- The primary key that a partition got from the table above it when it was attached on the target.
-- $1 schema, $2 table. Columns: constraint. One row or none.
SELECT k.conname
FROM pg_catalog.pg_constraint k
WHERE k.conrelid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', $1::text, $2::text)) AND k.contype = 'p'
  AND k.conparentid <> 0
