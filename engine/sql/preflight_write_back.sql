-- What this session's user lacks to write back what a target's changes come to: rows of tables, values of
-- sequences, work tables.
-- Parameters: $1 oids of tables, $2 oids of sequences, each a JSON array. Columns: kind (DATABASE,
-- TABLE, SEQUENCE), schema (NULL none), name, privileges missing.
WITH wanted (kind, schema, name, missing) AS (
    SELECT 'TABLE', n.nspname, c.relname, p.missing
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
        SELECT pg_catalog.string_agg(x.privilege, ', ' ORDER BY x.privilege)
        FROM pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS x (privilege)
        WHERE NOT pg_catalog.has_table_privilege(c.oid, x.privilege)) AS p (missing)
    WHERE c.oid IN (SELECT pg_catalog.jsonb_array_elements_text($1::pg_catalog.jsonb)::pg_catalog.oid)
    UNION ALL
    SELECT 'SEQUENCE', n.nspname, c.relname, 'UPDATE'
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid IN (SELECT pg_catalog.jsonb_array_elements_text($2::pg_catalog.jsonb)::pg_catalog.oid)
      AND CASE WHEN c.relkind = 'S' THEN NOT pg_catalog.has_sequence_privilege(c.oid, 'UPDATE') END
    UNION ALL
    SELECT 'DATABASE', NULL, d.datname, p.missing
    FROM pg_catalog.pg_database d
    CROSS JOIN LATERAL (
        SELECT pg_catalog.string_agg(x.privilege, ', ' ORDER BY x.privilege)
        FROM pg_catalog.unnest(ARRAY['CREATE', 'TEMPORARY']) AS x (privilege)
        WHERE NOT pg_catalog.has_database_privilege(d.oid, x.privilege)) AS p (missing)
    WHERE d.datname = pg_catalog.current_database()
)
SELECT w.kind, w.schema, w.name, w.missing
FROM wanted w
WHERE w.missing IS NOT NULL
ORDER BY w.kind, w.schema COLLATE "C", w.name COLLATE "C"
