-- Purpose: the roles that a selection names: owners, grantees (of columns too), roles of policies, of large objects, of default
-- privileges, of the database's privileges, of settings in this database.
-- Parameters: $1 class oids, $2 oids of the selected objects (two arrays of one length).
-- Columns: role. The server's first user is in no dependency and does not come.
WITH here AS (
    SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()
), kept AS (
    SELECT k.class, k.oid FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]),
                                          pg_catalog.unnest($2::pg_catalog.oid[])) AS k (class, oid)
), named AS (
    SELECT s.refobjid AS role
    FROM pg_catalog.pg_shdepend s JOIN here h ON h.oid = s.dbid
    JOIN kept k ON k.class = s.classid AND k.oid = s.objid
    WHERE s.refclassid = 1260
    UNION
    SELECT s.refobjid FROM pg_catalog.pg_shdepend s JOIN here h ON h.oid = s.objid
    WHERE s.dbid = 0 AND s.classid = 1262 AND s.refclassid = 1260 AND s.deptype = 'a'
    UNION
    SELECT s.refobjid FROM pg_catalog.pg_shdepend s JOIN here h ON h.oid = s.dbid
    WHERE s.classid = 2613 AND s.refclassid = 1260
    UNION
    SELECT t.setrole FROM pg_catalog.pg_db_role_setting t JOIN here h ON h.oid = t.setdatabase
), defaults AS (
    SELECT d.oid, d.defaclrole FROM pg_catalog.pg_default_acl d
    WHERE d.defaclnamespace IN (SELECT k.oid FROM kept k WHERE k.class = 2615)
       OR (d.defaclnamespace = 0 AND d.defaclrole IN (SELECT n.role FROM named n))
)
SELECT r.rolname FROM pg_catalog.pg_roles r
WHERE r.oid IN (SELECT n.role FROM named n UNION SELECT d.defaclrole FROM defaults d
                UNION SELECT s.refobjid FROM pg_catalog.pg_shdepend s
                JOIN here h ON h.oid = s.dbid JOIN defaults d ON d.oid = s.objid
                WHERE s.classid = 826 AND s.refclassid = 1260)
ORDER BY r.rolname::text COLLATE "C"
