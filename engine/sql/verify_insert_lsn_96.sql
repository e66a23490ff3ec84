-- As verify_insert_lsn.sql, under the name that servers before 10 have. Columns: lsn.
SELECT pg_catalog.pg_current_xlog_insert_location();
