-- Values of settings, of the server's own and of providers'. $1: a JSON array of names.
-- Columns: value in the base unit, NULL where there is no such setting; in the order of the array.
SELECT COALESCE(s.setting, pg_catalog.current_setting(n.name, true)) -- @from 9.6
SELECT s.setting -- @before 9.6
FROM pg_catalog.jsonb_array_elements_text($1::pg_catalog.jsonb) WITH ORDINALITY AS n(name, at)
LEFT JOIN pg_catalog.pg_settings s ON s.name = n.name
ORDER BY n.at
