-- Purpose: what ALTER DATABASE ... SET and ALTER ROLE ... SET left in the catalogue for this database.
-- No parameters. Columns: role (NULL: all), whether it is for this database only, name, value.
SELECT r.rolname, t.setdatabase <> 0, pg_catalog.split_part(c.line, '=', 1),
       pg_catalog.substr(c.line, pg_catalog.strpos(c.line, '=') + 1)
FROM pg_catalog.pg_db_role_setting t
LEFT JOIN pg_catalog.pg_roles r ON r.oid = t.setrole
CROSS JOIN LATERAL pg_catalog.unnest(t.setconfig) WITH ORDINALITY AS c (line, place)
WHERE t.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d
                            WHERE d.datname = pg_catalog.current_database()))
  AND (t.setrole = 0 OR r.oid IS NOT NULL)
ORDER BY r.rolname::text COLLATE "C" NULLS FIRST, t.setdatabase <> 0, c.place
