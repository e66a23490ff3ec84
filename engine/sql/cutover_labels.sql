-- Purpose: the labels of enum types, in their order.
-- Parameters: $1 oids of types, as an array: those that are in them in whatever way; NULL: all.
-- Columns: schema, name, labels.
WITH RECURSIVE used(oid) AS (
    SELECT pg_catalog.unnest($1::oid[])
    UNION
    SELECT i.oid
      FROM used AS u
      JOIN pg_catalog.pg_type AS t ON t.oid = u.oid
      CROSS JOIN LATERAL (SELECT t.typelem
                           UNION ALL
                          SELECT t.typbasetype
                           UNION ALL
                          SELECT a.atttypid FROM pg_catalog.pg_attribute AS a
                           WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                           UNION ALL
                          SELECT r.rngsubtype FROM pg_catalog.pg_range AS r
                           WHERE t.oid IN (r.rngtypid, (pg_catalog.to_jsonb(r) ->> 'rngmultitypid')::oid)
                         ) AS i(oid)
     WHERE i.oid <> 0
)
SELECT n.nspname, t.typname,
       ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
  FROM pg_catalog.pg_type AS t
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
 WHERE t.typtype = 'e'
   AND ($1::oid[] IS NULL OR t.oid IN (SELECT u.oid FROM used AS u))
 ORDER BY 1, 2
