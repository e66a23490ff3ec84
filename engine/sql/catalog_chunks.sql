-- TimescaleDB's chunks by oid (asked only where the extension is created).
-- Columns: oid. Ordered by oid.
SELECT r.oid
FROM timescaledb_information.chunks c
JOIN pg_catalog.pg_namespace n ON n.nspname = c.chunk_schema
JOIN pg_catalog.pg_class r ON r.relnamespace = n.oid AND r.relname = c.chunk_name
ORDER BY r.oid;
