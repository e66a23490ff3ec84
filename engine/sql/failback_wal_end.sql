-- Purpose: how far this server's WAL is safe on its disk. Parameters: none. Columns: LSN.
SELECT pg_catalog.pg_current_wal_flush_lsn()
