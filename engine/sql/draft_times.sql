-- Columns that may tell the time of a row, of ordinary tables with rows, and how their tables are written to.
-- Parameters: none. Only statistics are read; a column that was never analysed has no bounds.
-- Columns: table, column, correlation with the place of the row (NULL unknown), lowest and highest value as epoch
-- seconds (NULL unknown), rows inserted, updated, deleted since the statistics were reset, size with indexes.
-- Ordered by table, column number.
SELECT c.oid,
       a.attname,
       s.correlation,
       extract(epoch FROM (CASE WHEN b.bounds[1] LIKE '%infinity' THEN NULL ELSE b.bounds[1] END)::timestamptz),
       extract(epoch FROM (CASE WHEN b.bounds[b.last] LIKE '%infinity' THEN NULL ELSE b.bounds[b.last] END)::timestamptz),
       coalesce(t.n_tup_ins, 0),
       coalesce(t.n_tup_upd, 0),
       coalesce(t.n_tup_del, 0),
       pg_catalog.pg_total_relation_size(c.oid)
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_catalog.pg_stats AS s
         ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited
  LEFT JOIN pg_catalog.pg_stat_user_tables AS t ON t.relid = c.oid
 CROSS JOIN LATERAL (SELECT s.histogram_bounds::text::text[] AS bounds) AS raw
 CROSS JOIN LATERAL (SELECT raw.bounds, pg_catalog.array_upper(raw.bounds, 1) AS last) AS b
 WHERE c.relkind = 'r'
   AND a.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'godwit')
 ORDER BY c.oid, a.attnum
