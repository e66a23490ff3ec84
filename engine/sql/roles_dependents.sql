-- Purpose: what stands in the way of dropping a role. Parameters: $1 role.
-- Columns: objects of this database that it owns or that name it in policies, privileges it holds in this database
-- or on it, objects of other databases.
SELECT pg_catalog.count(*) FILTER (WHERE s.dbid = d.oid AND s.deptype NOT IN ('a', 'i')
                                     AND NOT (s.classid = 826)),
       pg_catalog.count(*) FILTER (WHERE (s.dbid = d.oid AND (s.deptype IN ('a', 'i') OR s.classid = 826))
                                      OR (s.dbid = 0 AND s.classid = 1262 AND s.objid = d.oid AND s.deptype = 'a')),
       pg_catalog.count(*) FILTER (WHERE s.dbid NOT IN (0, d.oid)
                                      OR (s.dbid = 0 AND NOT (s.classid = 1262 AND s.objid = d.oid AND s.deptype = 'a')
                                          AND s.classid <> 1261))
FROM pg_catalog.pg_database d
LEFT JOIN pg_catalog.pg_shdepend s ON s.refclassid = 1260
      AND s.refobjid = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = $1)
WHERE d.datname = pg_catalog.current_database()
