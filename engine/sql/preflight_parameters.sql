-- Settings as a new session of this role gets them, whatever this session pinned.
-- Parameters: their names, a JSON array. Columns: name, value, unit, context.
-- Ordered by name, byte by byte.
SELECT s.name, s.reset_val, s.unit, s.context
FROM pg_catalog.pg_settings s
WHERE s.name IN (SELECT n.name FROM pg_catalog.jsonb_array_elements_text($1) n(name))
ORDER BY s.name COLLATE "C";
