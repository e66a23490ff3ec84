-- Where the write-ahead log will grow next: at or after the end of every commit that a snapshot
-- taken before could see. Servers from 10 on. Columns: lsn.
SELECT pg_catalog.pg_current_wal_insert_lsn();
