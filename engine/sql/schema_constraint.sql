-- One constraint of a table as it stands on the target.
-- $1 schema, $2 table, $3 constraint. Columns: type, validated, its index is valid (true without
-- one), replica identity, clustered.
SELECT k.contype, k.convalidated, COALESCE(i.indisvalid, true), COALESCE(i.indisreplident, false),
       COALESCE(i.indisclustered, false)
FROM pg_catalog.pg_constraint k
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid AND i.indrelid = k.conrelid
WHERE k.conrelid = pg_catalog.to_regclass(pg_catalog.format('%I.%I', $1::text, $2::text)) AND k.conname = $3
