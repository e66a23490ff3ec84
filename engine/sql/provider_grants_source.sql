-- What a role needs on a source to be migrated from, beyond what makes the role: statements in
-- order, those that make and those that take back. Least privilege: it becomes a member of who owns
-- the selected tables (only an owner publishes a table), without SET ROLE where that can be said
-- (16+).
-- $1: the role. $2: the selection, a JSON array of {schema, table}, table absent: all of the
-- schema's; or {pattern}, over schema.table; or {schemas}, a pattern over schema names.
-- Columns: part (make, drop), statement, note (NULL none).
WITH me AS (
    SELECT $1::pg_catalog.text AS name, r.rolsuper AS super,
           pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version,
           d.datname AS database, o.rolname AS owner,
           o.rolsuper OR o.rolname = current_user AS handed, r.rolname AS runner
    FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
    JOIN pg_catalog.pg_roles o ON o.oid = d.datdba
    WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database()
), picked AS (
    SELECT e.item ->> 'schema' AS schema, e.item ->> 'table' AS rel,
           '^(?:' || (e.item ->> 'pattern') || ')$' AS pattern,
           '^(?:' || (e.item ->> 'schemas') || ')$' AS schemas
    FROM pg_catalog.jsonb_array_elements($2::pg_catalog.jsonb) AS e(item)
), relation AS (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relowner, c.relforcerowsecurity AS forced,
           EXISTS (SELECT FROM picked p
                   WHERE (p.schema = n.nspname AND COALESCE(p.rel = c.relname, true))
                      OR n.nspname || '.' || c.relname ~ p.pattern
                      OR n.nspname ~ p.schemas) AS selected
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'S', 'm')
      AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'godwit')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 1259
                      AND d.objid = c.oid AND d.deptype = 'e')
), owner AS (
    SELECT r.rolname, r.rolsuper FROM pg_catalog.pg_roles r
    WHERE r.oid IN (SELECT relowner FROM relation WHERE selected)
    UNION
    SELECT r.rolname, r.rolsuper FROM me m JOIN pg_catalog.pg_roles r ON r.rolname = m.owner
    WHERE NOT m.handed
), space AS (
    SELECT n.nspname FROM pg_catalog.pg_namespace n
    WHERE n.nspname IN (SELECT nspname FROM relation WHERE selected)
      AND NOT pg_catalog.has_schema_privilege('public', n.oid, 'USAGE')
      AND pg_catalog.pg_get_userbyid(n.nspowner) NOT IN (SELECT rolname FROM owner)
), moved AS (
    SELECT m.* FROM me m WHERE m.handed AND m.owner NOT IN (SELECT rolname FROM owner)
), statement (step, part, text, note) AS (
    SELECT 1, 'make', pg_catalog.format('GRANT CONNECT, CREATE ON DATABASE %I TO %I', m.database, m.name),
           'a publication is made there'
    FROM me m
    UNION ALL
    SELECT 2, 'make', pg_catalog.format('GRANT %I TO CURRENT_USER', m.name), 'to hand things to it'
    FROM moved m WHERE NOT m.super
    UNION ALL
    SELECT 3, 'make', pg_catalog.format('ALTER DATABASE %I OWNER TO %I', m.database, m.name),
           'the fence is ALTER DATABASE ... SET, which its owner may do; the drop hands it back'
    FROM moved m
    UNION ALL
    SELECT 4, 'make',
           CASE WHEN o.rolname = m.runner AND NOT m.super AND m.version >= 160000 THEN '-- ' ELSE '' END
               || pg_catalog.format('GRANT %I TO %I', o.rolname, m.name)
               || CASE WHEN m.version >= 160000 THEN ' WITH INHERIT TRUE, SET FALSE' ELSE '' END,
           CASE WHEN o.rolsuper AND m.version < 160000
                THEN 'this owner is a superuser, and before 16 a member can SET ROLE: better give '
                     || 'the tables to a role of their own first'
                WHEN o.rolname = m.runner AND NOT m.super AND m.version >= 160000
                THEN 'from 16 on nobody grants himself: give the tables to a role of their own '
                     || 'first, or let the run use this one'
                ELSE 'owns what is published, read, locked' END
    FROM me m, owner o WHERE o.rolname <> m.name
    UNION ALL
    SELECT 5, 'make', pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I', s.nspname, m.name), NULL
    FROM me m, space s
    UNION ALL
    SELECT 6, 'make', pg_catalog.format('GRANT SELECT ON %I.%I TO %I', r.nspname, r.relname, m.name),
           'pg_dump locks it with its schema'
    FROM me m, relation r
    WHERE NOT r.selected AND r.relkind IN ('r', 'p')
      AND r.nspname IN (SELECT nspname FROM relation WHERE selected)
      AND pg_catalog.pg_get_userbyid(r.relowner) NOT IN (SELECT rolname FROM owner)
    UNION ALL
    SELECT 7, 'make', pg_catalog.format('ALTER ROLE %I BYPASSRLS', m.name),
           'row security is forced on a selected table'
    FROM me m WHERE EXISTS (SELECT FROM relation WHERE selected AND forced)
    UNION ALL
    SELECT 1, 'drop', pg_catalog.format('GRANT %I TO CURRENT_USER', m.name),
           'to take back what it owns'
    FROM me m WHERE NOT m.super
    UNION ALL
    SELECT 2, 'drop', pg_catalog.format('ALTER DATABASE %I OWNER TO %s', m.database,
               CASE WHEN m.owner = m.name THEN 'CURRENT_USER'
                    ELSE pg_catalog.quote_ident(m.owner) END), NULL
    FROM me m WHERE m.owner = m.name OR EXISTS (SELECT FROM moved)
    UNION ALL
    SELECT 3, 'drop', pg_catalog.format('DROP OWNED BY %I', m.name), 'its publication, its rights'
    FROM me m
)
SELECT s.part, s.text, s.note FROM statement s
ORDER BY s.part DESC, s.step, s.text COLLATE "C"
