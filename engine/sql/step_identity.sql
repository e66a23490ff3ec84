-- Purpose: the replica identity of a table. Parameters: $1 schema, $2 table, $3 an index of it or NULL.
-- Columns: identity, the index it uses or NULL, whether index $3 is there, whether it is valid.
SELECT c.relreplident,
       (SELECT x.relname
          FROM pg_catalog.pg_index AS i
          JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
         WHERE i.indrelid = c.oid AND i.indisreplident),
       coalesce(given.is_there, false),
       coalesce(given.is_valid, false)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
       SELECT true AS is_there, i.indisvalid AS is_valid
         FROM pg_catalog.pg_index AS i
         JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
        WHERE i.indrelid = c.oid AND x.relname = $3) AS given ON true
 WHERE n.nspname = $1 AND c.relname = $2
