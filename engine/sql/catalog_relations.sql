-- Every table, partitioned table, view, materialized view, sequence and foreign table outside the
-- system's schemas and godwit's own. Sizes and pages are those of the main forks of heap and TOAST, as
-- the files are now (relpages is as old as the last VACUUM, and the other forks grow by one); a relation
-- dropped in between falls back to its pages.
-- Columns: oid, schema, name, kind, persistence, replica identity, its index, partition parent,
-- is a partition, takes part in plain inheritance, row security, forced row security,
-- of an extension, populated, is heap, owner, may be selected, owned, pages, tuples, bytes,
-- partition key, may be locked against writers, condition that a leaf's rows meet,
-- transaction that attached it; of a table: its file, which columns are where, what wrote them last (before
-- 11 its file, too: there a TRUNCATE shows by that alone), what wrote its own row and its schema's last.
-- Ordered by oid.
SELECT c.oid,
       n.nspname,
       c.relname,
       c.relkind,
       c.relpersistence,
       c.relreplident,
       COALESCE(i.indexrelid, 0),
       CASE WHEN c.relispartition THEN COALESCE(h.inhparent, 0) ELSE 0 END, -- @from 10
       c.relispartition, -- @from 10
       (h.inhparent IS NOT NULL AND NOT c.relispartition) -- @from 10
       0, -- @before 10
       false, -- @before 10
       h.inhparent IS NOT NULL -- @before 10
           OR (c.relkind = 'r' AND k.inhparent IS NOT NULL),
       c.relrowsecurity,
       c.relforcerowsecurity,
       x.objid IS NOT NULL,
       c.relispopulated,
       COALESCE(a.amname = 'heap', false), -- @from 12
       c.relkind IN ('r', 'm'), -- @before 12
       pg_catalog.pg_get_userbyid(c.relowner),
       pg_catalog.has_table_privilege(c.oid, 'SELECT'),
       pg_catalog.pg_has_role(c.relowner, 'USAGE'),
       COALESCE(s.heap / b.size, c.relpages),
       c.reltuples,
       COALESCE(s.heap + COALESCE(s.toast, 0),
                CASE WHEN c.relkind IN ('r', 'm') THEN c.relpages * b.size ELSE 0 END),
       CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END, -- @from 10
       NULL, -- @before 10
       pg_catalog.has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE'),
       CASE WHEN c.relispartition AND c.relkind = 'r' THEN pg_catalog.pg_get_partition_constraintdef(c.oid) END, -- @from 10
       CASE WHEN c.relispartition THEN h.attached END, -- @from 10
       NULL, -- @before 10
       NULL, -- @before 10
       CASE WHEN c.relkind = 'r' THEN c.relfilenode ELSE 0 END,
       t.places,
       t.written, -- @from 11
       pg_catalog.concat_ws('/', t.written, c.relfilenode), -- @before 11
       pg_catalog.concat_ws('/', c.xmin, n.xmin)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (SELECT pg_catalog.current_setting('block_size')::pg_catalog.int8) b (size)
LEFT JOIN LATERAL (SELECT pg_catalog.pg_relation_size(c.oid),
                          pg_catalog.pg_relation_size(NULLIF(c.reltoastrelid, 0))) s (heap, toast)
       ON c.relkind IN ('r', 'm')
LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisreplident
LEFT JOIN (SELECT inhrelid, pg_catalog.min(inhparent) AS inhparent, pg_catalog.min(xmin::text) AS attached
           FROM pg_catalog.pg_inherits GROUP BY inhrelid) h ON h.inhrelid = c.oid
LEFT JOIN (SELECT DISTINCT inhparent FROM pg_catalog.pg_inherits) k ON k.inhparent = c.oid
LEFT JOIN (SELECT attrelid,
                  pg_catalog.sum(pg_catalog.hashtext(pg_catalog.concat_ws(',', attnum, attname))::bigint) AS places,
                  pg_catalog.sum(pg_catalog.hashtext(pg_catalog.concat_ws(',', attnum, xmin))::bigint) AS written
           FROM pg_catalog.pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid >= 16384
           GROUP BY attrelid) t ON t.attrelid = c.oid AND c.relkind = 'r'
LEFT JOIN (SELECT DISTINCT objid FROM pg_catalog.pg_depend
           WHERE classid = 1259 AND deptype = 'e') x ON x.objid = c.oid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'godwit')
ORDER BY c.oid;
