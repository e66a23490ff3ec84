-- What the server and this session are.
-- Columns: version number, version text, may read the system identifier, database, its oid,
-- encoding, collate, user, superuser, in recovery, TimescaleDB version, TimescaleDB licence.
SELECT pg_catalog.current_setting('server_version_num'),
       pg_catalog.current_setting('server_version'),
       pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE'), -- @from 9.6
       false, -- @before 9.6
       d.datname,
       d.oid,
       pg_catalog.pg_encoding_to_char(d.encoding),
       d.datcollate,
       current_user,
       (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user),
       pg_catalog.pg_is_in_recovery(),
       (SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'timescaledb'),
       pg_catalog.current_setting('timescaledb.license', true) -- @from 9.6
       NULL -- @before 9.6
FROM pg_catalog.pg_database d
WHERE d.datname = pg_catalog.current_database();
