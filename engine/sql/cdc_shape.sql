-- Purpose: one fingerprint of the shape of all user tables and sequences: cheap, and equal while nothing moved; whoever sees another one looks closely.
-- A rewrite in place shows by a new file alone, a partition that was detached and attached again by its transaction.
-- Parameters: none. Columns: fingerprint.
SELECT pg_catalog.format('%s/%s/%s/%s', r.n, r.sum, a.n, a.sum)
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
