-- Purpose: what the session's user may do to roles on one server, and where it stands.
-- No parameters. Columns: user, superuser, create role, create database, replication, bypass row security,
-- may read password hashes, owner of the database, database, its comment.
SELECT r.rolname, r.rolsuper, r.rolcreaterole, r.rolcreatedb, r.rolreplication, r.rolbypassrls,
       pg_catalog.has_column_privilege('pg_catalog.pg_authid', 'rolpassword', 'SELECT'),
       pg_catalog.pg_get_userbyid(d.datdba), d.datname,
       pg_catalog.shobj_description(d.oid, 'pg_database')
FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database()
