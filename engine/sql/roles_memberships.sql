-- Purpose: who is a member of which role, whoever granted it. No parameters.
-- Columns: role, member, admin option, inherit option, set option (both NULL before PostgreSQL 16, where the
-- member's own attribute decides and SET ROLE is always allowed). Ordered by role, member.
SELECT g.rolname, m.rolname, pg_catalog.bool_or(a.admin_option),
       pg_catalog.bool_or((pg_catalog.to_jsonb(a) ->> 'inherit_option')::pg_catalog.bool),
       pg_catalog.bool_or((pg_catalog.to_jsonb(a) ->> 'set_option')::pg_catalog.bool)
FROM pg_catalog.pg_auth_members a
JOIN pg_catalog.pg_roles g ON g.oid = a.roleid
JOIN pg_catalog.pg_roles m ON m.oid = a.member
GROUP BY g.rolname, m.rolname
ORDER BY g.rolname::text COLLATE "C", m.rolname::text COLLATE "C"
