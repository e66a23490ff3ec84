-- Purpose: every role of a server. No parameters, ordered by name.
-- Columns: name, superuser, inherit, create role, create database, login, replication, bypass row security,
-- connection limit (-1 none), valid until (NULL: for ever), comment, whether it is the server's first user,
-- whether the session's user has its privileges, may become it, may hand it on.
SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication,
       r.rolbypassrls, r.rolconnlimit, r.rolvaliduntil::pg_catalog.text,
       pg_catalog.shobj_description(r.oid, 'pg_authid'), r.oid = 10,
       pg_catalog.pg_has_role(r.oid, 'USAGE'),
       CASE WHEN pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 160000
            THEN pg_catalog.pg_has_role(r.oid, 'SET') ELSE pg_catalog.pg_has_role(r.oid, 'MEMBER') END,
       pg_catalog.pg_has_role(r.oid, 'MEMBER WITH ADMIN OPTION')
FROM pg_catalog.pg_roles r
ORDER BY r.rolname::text COLLATE "C"
