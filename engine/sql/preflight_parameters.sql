-- Settings as a new session of this role gets them, whatever this session pinned.
-- Parameters: their names, a JSON array.
-- Columns: name, value, unit, context, is set for this database and every role.
-- Ordered by name, byte by byte.
SELECT s.name, s.reset_val, s.unit, s.context,
       EXISTS (SELECT
               FROM pg_catalog.pg_db_role_setting r
               JOIN pg_catalog.pg_database d ON d.oid = r.setdatabase
               CROSS JOIN LATERAL pg_catalog.unnest(r.setconfig) c(line)
               WHERE d.datname = pg_catalog.current_database() AND r.setrole = 0
                 AND pg_catalog.lower(pg_catalog.split_part(c.line, '=', 1))
                     = pg_catalog.lower(s.name))
FROM pg_catalog.pg_settings s
WHERE s.name IN (SELECT n.name FROM pg_catalog.jsonb_array_elements_text($1) n(name))
ORDER BY s.name COLLATE "C";
