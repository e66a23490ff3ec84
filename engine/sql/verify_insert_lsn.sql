-- Where the write-ahead log will grow next: at or after the end of every commit that a snapshot
-- taken before could see. Columns: lsn.
SELECT pg_catalog.pg_current_wal_insert_lsn(); -- @from 10
SELECT pg_catalog.pg_current_xlog_insert_location(); -- @before 10
