-- Purpose: what the journal keeps of chunks, as JSON; and which chunks their hypertables have now.
-- `bounds` are the constraints that say what the chunk may hold: merging and splitting make others. `begins` and `ends`
-- are its range of time in microseconds, or in the dimension's own unit; null: open, or not known.
-- Parameters: $1 oids of chunks. Columns: JSON array of {"oid", "hypertable", "schema", "rel", "bounds", "begins",
-- "ends"}, oids of chunks as an array.
SELECT COALESCE(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
           'oid', c.oid::bigint, 'hypertable', i.inhparent::bigint, 'schema', n.nspname, 'rel', c.relname,
           'bounds', ARRAY(SELECT k.oid::bigint
                             FROM pg_catalog.pg_constraint AS k
                            WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conislocal AND k.coninhcount = 0
                            ORDER BY k.oid)::text,
           'begins', COALESCE(t.range_start_integer,
                              CASE WHEN pg_catalog.isfinite(t.range_start)
                                   THEN (pg_catalog.date_part('epoch', t.range_start) * 1000000)::bigint END),
           'ends', COALESCE(t.range_end_integer,
                            CASE WHEN pg_catalog.isfinite(t.range_end)
                                 THEN (pg_catalog.date_part('epoch', t.range_end) * 1000000)::bigint END))), '[]'),
       ARRAY(SELECT o.inhrelid::bigint
               FROM pg_catalog.pg_inherits AS o
              WHERE o.inhparent IN (SELECT p.inhparent FROM pg_catalog.pg_inherits AS p WHERE p.inhrelid = ANY ($1::oid[]))
              ORDER BY 1)::text
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN timescaledb_information.chunks AS t ON t.chunk_schema = n.nspname AND t.chunk_name = c.relname
 WHERE c.oid = ANY ($1::oid[])
