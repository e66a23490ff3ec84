-- What a role needs on a target to be migrated to, beyond what makes the role: statements in order,
-- those that make and those that take back. It owns the database for the time of the run (where a
-- superuser does now), or is a member of who owns it.
-- $1: the role. $2: schemas that it creates in if they are there, a JSON array of names. $3:
-- extensions that it needs, a JSON array of {name, schema}.
-- Columns: part (make, drop), statement, note (NULL none).
WITH me AS (
    SELECT $1::pg_catalog.text AS name, r.rolsuper AS super,
           pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version,
           d.datname AS database, o.rolname AS owner,
           o.rolsuper OR o.rolname = current_user AS handed, r.rolname AS runner
    FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
    JOIN pg_catalog.pg_roles o ON o.oid = d.datdba
    WHERE r.rolname = current_user AND d.datname = pg_catalog.current_database()
), space AS (
    SELECT n.nspname FROM pg_catalog.pg_namespace n
    WHERE n.nspname IN (SELECT pg_catalog.jsonb_array_elements_text($2::pg_catalog.jsonb))
), extension AS (
    SELECT e.item ->> 'name' AS name, e.item ->> 'schema' AS schema
    FROM pg_catalog.jsonb_array_elements($3::pg_catalog.jsonb) AS e(item)
    JOIN pg_catalog.pg_available_extensions a
      ON a.name = e.item ->> 'name' AND a.installed_version IS NULL
    JOIN pg_catalog.pg_available_extension_versions v
      ON v.name = a.name AND v.version = a.default_version AND NOT v.trusted
), statement (step, part, text, note) AS (
    SELECT 1, 'make', pg_catalog.format('GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %I TO %I',
                                        m.database, m.name),
           'schemas, godwit''s journal and work tables are made there'
    FROM me m
    UNION ALL
    SELECT 2, 'make', pg_catalog.format('GRANT %I TO CURRENT_USER', m.name), 'to hand things to it'
    FROM me m WHERE m.handed AND NOT m.super AND m.owner <> m.name
    UNION ALL
    SELECT 3, 'make', pg_catalog.format('ALTER DATABASE %I OWNER TO %I', m.database, m.name),
           'the fence is ALTER DATABASE ... SET, which its owner may do; the drop hands it back'
    FROM me m WHERE m.handed AND m.owner <> m.name
    UNION ALL
    SELECT 4, 'make',
           pg_catalog.format('GRANT %I TO %I', m.owner, m.name)
               || CASE WHEN m.version >= 160000 THEN ' WITH INHERIT TRUE, SET FALSE' ELSE '' END,
           'the fence is ALTER DATABASE ... SET, which its owner may do'
    FROM me m WHERE NOT m.handed AND m.owner <> m.name
    UNION ALL
    SELECT 5, 'make',
           pg_catalog.format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', s.nspname, m.name), NULL
    FROM me m, space s
    UNION ALL
    SELECT 6, 'make',
           CASE WHEN e.schema IN ('public', 'pg_catalog') THEN ''
                ELSE pg_catalog.format('CREATE SCHEMA IF NOT EXISTS %I; ', e.schema) END
               || pg_catalog.format('CREATE EXTENSION %I SCHEMA %I', e.name, e.schema),
           'its owner must be a superuser or an administrator'
    FROM extension e
    UNION ALL
    SELECT 1, 'drop', pg_catalog.format('GRANT %I TO CURRENT_USER', m.name),
           'to take over what it owns'
    FROM me m WHERE NOT m.super
    UNION ALL
    SELECT 2, 'drop', pg_catalog.format('ALTER DATABASE %I OWNER TO %s', m.database,
               CASE WHEN m.owner = m.name THEN 'CURRENT_USER'
                    ELSE pg_catalog.quote_ident(m.owner) END), NULL
    FROM me m WHERE m.handed OR m.owner = m.name
    UNION ALL
    SELECT 3, 'drop', pg_catalog.format('REASSIGN OWNED BY %I TO %s', m.name,
               CASE WHEN m.owner = m.name THEN 'CURRENT_USER'
                    ELSE pg_catalog.quote_ident(m.owner) END),
           'what was migrated belongs to the database''s owner then'
    FROM me m
    UNION ALL
    SELECT 4, 'drop', pg_catalog.format('DROP OWNED BY %I', m.name), 'its rights' FROM me m
)
SELECT s.part, s.text, s.note FROM statement s
ORDER BY s.part DESC, s.step, s.text COLLATE "C"
