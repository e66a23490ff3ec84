-- The extensions that could be created here.
-- Columns: name, default version. Ordered by name, byte by byte.
SELECT a.name, a.default_version
FROM pg_catalog.pg_available_extensions a
ORDER BY a.name::text COLLATE "C";
