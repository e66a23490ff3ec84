-- The version of this database's collation as it is now (PostgreSQL 15 and later). Columns: version.
SELECT pg_catalog.pg_database_collation_actual_version(d.oid)
FROM pg_catalog.pg_database d
WHERE d.datname = pg_catalog.current_database();
