-- Purpose: indexes, constraints and triggers that partitions have of their own: not made by their root's. Named as
-- catalog_definitions names them. Parameters: none. Columns: fact, in byte order.
WITH leaf AS ( -- @from 10
    SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, h.inhparent -- @from 10
      FROM pg_catalog.pg_class AS c -- @from 10
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace -- @from 10
      JOIN pg_catalog.pg_inherits AS h ON h.inhrelid = c.oid -- @from 10
     WHERE c.relispartition AND c.relkind IN ('r', 'p') -- @from 10
), own (fact) AS ( -- @from 10
    SELECT pg_catalog.format('index %I of %s', x.relname, l.name) -- @from 10
      FROM leaf AS l -- @from 10
      JOIN pg_catalog.pg_index AS i ON i.indrelid = l.oid -- @from 10
      JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid -- @from 10
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhrelid = i.indexrelid) -- @from 10
    UNION ALL -- @from 10
    SELECT pg_catalog.format('constraint %I of %s', k.conname, l.name) -- @from 10
      FROM leaf AS l -- @from 10
      JOIN pg_catalog.pg_constraint AS k ON k.conrelid = l.oid AND k.coninhcount = 0 -- @from 10
           AND k.conparentid = 0 -- @from 11
    UNION ALL -- @from 10
    SELECT pg_catalog.format('trigger %I of %s', g.tgname, l.name) -- @from 10
      FROM leaf AS l -- @from 10
      JOIN pg_catalog.pg_trigger AS g ON g.tgrelid = l.oid AND NOT g.tgisinternal -- @from 10
     WHERE g.tgparentid = 0 -- @from 13
     WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_trigger AS r -- @from 10 before 13
                        WHERE r.tgrelid = l.inhparent AND r.tgname = g.tgname) -- @from 10 before 13
) -- @from 10
SELECT o.fact FROM own AS o ORDER BY o.fact COLLATE "C" -- @from 10
SELECT ''::text WHERE false -- @before 10
