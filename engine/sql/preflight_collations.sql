-- The collations of the system that this database can use, and the locales that the C library has.
-- Columns: name, provider, locale. Ordered by name, byte by byte.
SELECT c.collname,
       c.collprovider,
       COALESCE(j.row ->> 'colllocale', j.row ->> 'colliculocale', c.collcollate)
FROM pg_catalog.pg_collation c
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(c) AS row) j
WHERE c.collnamespace = 'pg_catalog'::pg_catalog.regnamespace
  AND c.collencoding IN (-1, d.encoding)
ORDER BY c.collname COLLATE "C";
