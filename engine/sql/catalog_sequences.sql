-- Every sequence outside the system's schemas and godwit's own, with the column that owns it.
-- Columns: oid, schema, name, owning relation, owning column, dependency ('a' owned, 'i' identity),
-- increment, minimum, maximum, of an extension.
-- Ordered by oid.
SELECT c.oid,
       n.nspname,
       c.relname,
       COALESCE(o.refobjid, 0),
       a.attname,
       o.deptype,
       s.seqincrement, -- @from 10
       s.seqmin, -- @from 10
       s.seqmax, -- @from 10
       s.increment, -- @before 10
       s.minimum_value, -- @before 10
       s.maximum_value, -- @before 10
       x.objid IS NOT NULL
FROM pg_catalog.pg_sequence s -- @from 10
JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid -- @from 10
FROM pg_catalog.pg_class c -- @before 10
CROSS JOIN LATERAL pg_catalog.pg_sequence_parameters(c.oid) s -- @before 10
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend o
       ON o.classid = 1259 AND o.objid = c.oid AND o.objsubid = 0 AND o.refclassid = 1259
      AND o.refobjsubid > 0 AND o.deptype IN ('a', 'i')
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
LEFT JOIN (SELECT DISTINCT objid FROM pg_catalog.pg_depend
           WHERE classid = 1259 AND deptype = 'e') x ON x.objid = c.oid
WHERE c.relpersistence <> 't'
  AND c.relkind = 'S'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'godwit')
ORDER BY c.oid;
