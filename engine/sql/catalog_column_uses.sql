-- What uses single columns: indexes, constraints, rules of views, generated columns, triggers,
-- policies, statistics, functions, owned sequences; and the partition key (as a use by the table
-- itself). A column's own default and NOT NULL are no uses.
-- Columns: relation, column, class, oid, type as in pg_depend ('p' partition key), generated column
-- (of class 2604; else 0).
-- Ordered by relation, column, class, oid.
SELECT d.refobjid, d.refobjsubid, d.classid, d.objid, d.deptype, COALESCE(f.adnum, 0)
FROM pg_catalog.pg_depend d
LEFT JOIN pg_catalog.pg_attrdef f ON d.classid = 2604 AND f.oid = d.objid
LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 2606 AND k.oid = d.objid
WHERE d.refclassid = 1259
  AND d.refobjsubid > 0
  AND d.refobjid >= 16384
  AND d.objid >= 16384
  AND (f.oid IS NULL OR f.adnum <> d.refobjsubid)
  AND (k.oid IS NULL OR k.contype <> 'n')
UNION
SELECT d.objid, d.objsubid, d.classid, d.objid, 'p', 0
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = d.objid -- @from 10
WHERE d.classid = 1259
  AND false -- @before 10
  AND d.refclassid = 1259
  AND d.refobjid = d.objid
  AND d.objsubid > 0
  AND d.refobjsubid = 0
ORDER BY 1, 2, 3, 4;
