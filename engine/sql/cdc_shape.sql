-- Purpose: one fingerprint of the shape of all user tables and sequences: cheap, and equal while nothing moved; whoever sees another one looks closely.
-- A rewrite in place shows by a new file alone, a partition that was detached and attached again by its transaction.
-- So does a table that was taken out of a publication, or a publication that was altered.
-- Parameters: none. Columns: fingerprint.
SELECT pg_catalog.format('%s/%s/%s/%s/%s', r.n, r.sum, a.n, a.sum, p.sum) -- @from 10
SELECT pg_catalog.format('%s/%s/%s/%s', r.n, r.sum, a.n, a.sum) -- @before 10
  FROM (SELECT pg_catalog.count(*) AS n,
               pg_catalog.sum(pg_catalog.hashtext(pg_catalog.concat_ws(',', c.oid, s.nspname, c.relname, c.relkind,
                                                                       c.relreplident, c.relpersistence,
                                                                       i.inhparent, i.xmin,
                                                                       CASE WHEN c.relkind = 'r' THEN c.relfilenode END
                                                                      ))::bigint) AS sum
          FROM pg_catalog.pg_class AS c
          JOIN pg_catalog.pg_namespace AS s ON s.oid = c.relnamespace
          LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid AND i.inhseqno = 1
         WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't' AND c.oid >= 16384) AS r,
       (SELECT pg_catalog.count(*) AS n,
               pg_catalog.sum(pg_catalog.hashtext(pg_catalog.concat_ws(',', t.attrelid, t.attnum, t.attname, t.atttypid,
                                                                       t.atttypmod, t.attnotnull))::bigint) AS sum
          FROM pg_catalog.pg_attribute AS t
          JOIN pg_catalog.pg_class AS c ON c.oid = t.attrelid
         WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384
           AND t.attnum > 0 AND NOT t.attisdropped) AS a
       , (SELECT pg_catalog.sum(pg_catalog.hashtext(e.entry)::bigint) AS sum -- @from 10
            FROM (SELECT pg_catalog.concat_ws(',', u.oid, u.xmin) AS entry FROM pg_catalog.pg_publication AS u -- @from 10
                  UNION ALL -- @from 10
                  SELECT pg_catalog.concat_ws(',', d.refobjid, d.classid, d.objid) -- @from 10
                    FROM pg_catalog.pg_depend AS d -- @from 10
                   WHERE d.refclassid = 'pg_catalog.pg_publication'::regclass -- @from 10
                 ) AS e) AS p -- @from 10
