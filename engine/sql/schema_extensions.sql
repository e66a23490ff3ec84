-- Extensions that the target has, and what those it could create require.
-- No parameters. Columns: name, created, names required by the default version (array), versions on offer (array).
SELECT a.name, e.extname IS NOT NULL, COALESCE(v.requires::pg_catalog.text[], '{}'),
       (SELECT pg_catalog.array_agg(o.version) FROM pg_catalog.pg_available_extension_versions o WHERE o.name = a.name)
FROM pg_catalog.pg_available_extensions a
LEFT JOIN pg_catalog.pg_extension e ON e.extname = a.name
LEFT JOIN pg_catalog.pg_available_extension_versions v
    ON v.name = a.name AND v.version = a.default_version
ORDER BY a.name COLLATE "C"
