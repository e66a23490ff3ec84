-- Purpose: the policies that name roles. No parameters.
-- Columns: oid, table's oid, schema, table, name, command (* r a w d), permissive, roles (JSON array), USING, WITH CHECK, comment.
SELECT p.oid, c.oid, n.nspname, c.relname, p.polname, p.polcmd, p.polpermissive, -- @from 10
SELECT p.oid, c.oid, n.nspname, c.relname, p.polname, p.polcmd, true, -- @before 10
       (SELECT pg_catalog.json_agg(CASE WHEN o.role = 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(o.role) END
                                   ORDER BY o.place)
        FROM pg_catalog.unnest(p.polroles) WITH ORDINALITY AS o (role, place)),
       pg_catalog.pg_get_expr(p.polqual, p.polrelid), pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid),
       pg_catalog.obj_description(p.oid, 'pg_policy')
FROM pg_catalog.pg_policy p
JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE p.polroles <> '{0}'
ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C", p.polname::text COLLATE "C"
