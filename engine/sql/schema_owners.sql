-- Relations that objects stand on which schema_objects does not list: constraints but checks, and
-- sequences that belong to a column. No parameters. Columns: class oid, oid, relation.
SELECT 2606, k.oid, k.conrelid FROM pg_catalog.pg_constraint k
WHERE k.contype <> 'c' AND k.conrelid <> 0 AND k.oid >= 16384
UNION ALL
SELECT 1259, d.objid, d.refobjid FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
WHERE d.classid = 1259 AND d.refclassid = 1259 AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
