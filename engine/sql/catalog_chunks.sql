-- TimescaleDB's chunks by oid (asked only where the extension is created).
-- Columns: oid, hypertable's oid, whether it is in the columnstore. Ordered by oid.
SELECT r.oid, t.oid, c.is_compressed IS TRUE
FROM timescaledb_information.chunks c
JOIN pg_catalog.pg_namespace n ON n.nspname = c.chunk_schema
JOIN pg_catalog.pg_class r ON r.relnamespace = n.oid AND r.relname = c.chunk_name
JOIN pg_catalog.pg_namespace m ON m.nspname = c.hypertable_schema
JOIN pg_catalog.pg_class t ON t.relnamespace = m.oid AND t.relname = c.hypertable_name
ORDER BY r.oid;
