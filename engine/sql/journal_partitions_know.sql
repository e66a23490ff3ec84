-- Purpose: remembers where the rows of partitions are on the target: once the source has dropped one, nobody could tell.
-- Parameters: $1 run, $2 JSON array of {"oid", "root", "schema", "rel", "target_schema", "target_rel", "bounds", "shared"}.
-- Columns: none.
INSERT INTO godwit.partition AS p (run, oid, root, schema, rel, target_schema, target_rel, bounds, shared)
SELECT $1::bigint, j.oid, j.root, j.schema, j.rel, j.target_schema, j.target_rel, j.bounds, j.shared
  FROM pg_catalog.jsonb_to_recordset($2::jsonb)
       AS j (oid oid, root oid, schema text, rel text, target_schema text, target_rel text, bounds text, shared boolean)
ON CONFLICT (run, oid) DO UPDATE
   SET schema = excluded.schema, rel = excluded.rel, target_schema = excluded.target_schema,
       target_rel = excluded.target_rel, bounds = excluded.bounds, shared = excluded.shared, gone_at = NULL
 WHERE (p.schema, p.rel, p.target_schema, p.target_rel, p.bounds, p.shared)
       IS DISTINCT FROM (excluded.schema, excluded.rel, excluded.target_schema, excluded.target_rel, excluded.bounds,
                         excluded.shared)
    OR p.gone_at IS NOT NULL
