-- Where the order of text matters: B-tree keys and range partition keys with a collation that is not
-- plain byte order, and columns with a collation of their own.
-- Columns: relation, where (index, partition key, column), schema and name of the index or of the
-- relation, column (columns only), collation's oid (100: the database's), schema, name, provider,
-- locale, version that it was made with, version as it is now.
-- Ordered by collation, relation, name.
WITH used AS (
    SELECT i.indrelid AS relation, 'index' AS place, i.indexrelid AS object, NULL::name AS part,
           u.coll
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    JOIN pg_catalog.pg_am m ON m.oid = c.relam AND m.amname = 'btree'
    CROSS JOIN LATERAL pg_catalog.unnest(i.indcollation::oid[]) u(coll)
    UNION
    SELECT p.partrelid, 'partition key', p.partrelid, NULL, u.coll -- @from 10
    FROM pg_catalog.pg_partitioned_table p -- @from 10
    CROSS JOIN LATERAL pg_catalog.unnest(p.partcollation::oid[]) u(coll) -- @from 10
    WHERE p.partstrat = 'r' -- @from 10
    UNION -- @from 10
    SELECT a.attrelid, 'column', a.attrelid, a.attname, a.attcollation
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attcollation <> 100
), collations AS (
    SELECT c.oid, n.nspname AS schema, c.collname AS name, c.collprovider AS provider, -- @from 10
    SELECT c.oid, n.nspname AS schema, c.collname AS name, 'c'::"char" AS provider, -- @before 10
           COALESCE(j.row ->> 'colllocale', j.row ->> 'colliculocale', c.collcollate) AS locale,
           c.collversion AS version, pg_catalog.pg_collation_actual_version(c.oid) AS actual -- @from 10
           NULL::text AS version, NULL::text AS actual -- @before 10
    FROM pg_catalog.pg_collation c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
    CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(c) AS row) j
    WHERE c.oid IN (SELECT u.coll FROM used u)
      AND NOT (c.collprovider = 'c' AND -- @from 10
      AND NOT ( -- @before 10
               (c.collcollate IN ('C', 'POSIX') OR c.collcollate LIKE 'C.%'))
)
SELECT u.relation, u.place, n.nspname, o.relname, u.part,
       c.oid, c.schema, c.name, c.provider, c.locale, c.version, c.actual
FROM used u
JOIN collations c ON c.oid = u.coll
JOIN pg_catalog.pg_class o ON o.oid = u.object
JOIN pg_catalog.pg_namespace n ON n.oid = o.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'godwit')
ORDER BY c.oid, u.relation, u.place DESC, o.relname, u.part;
