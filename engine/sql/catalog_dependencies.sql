-- How the objects of catalog_objects depend on one another (and on extensions).
-- Columns: class, oid, referenced class, referenced oid, type.
-- Ordered by class, oid.
SELECT d.classid, d.objid, d.refclassid, d.refobjid, d.deptype
FROM pg_catalog.pg_depend d
WHERE d.deptype IN ('n', 'a', 'i', 'P', 'S', 'e')
  AND d.objid >= 16384
  AND (d.refobjid >= 16384 OR d.refclassid = 2615)
  AND NOT (d.classid = d.refclassid AND d.objid = d.refobjid)
GROUP BY d.classid, d.objid, d.refclassid, d.refobjid, d.deptype
ORDER BY d.classid, d.objid, d.refclassid, d.refobjid, d.deptype;
