-- One reading of what the source does; two of them make rates.
-- Columns: time in seconds, WAL written in bytes since the cluster was made, rows of this database
-- inserted, updated, deleted, its commits, when these began to be counted (seconds), WAL in bytes
-- since that began to be counted, when that began (seconds), size of the database.
-- Since 15 a database whose counters were never reset has no time of it, and they outlive a restart:
-- then they are as old as the cluster's own counters.
SELECT EXTRACT(epoch FROM pg_catalog.clock_timestamp()),
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN 0
            ELSE pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_insert_lsn(), '0/0') END, -- @from 10
            ELSE pg_catalog.pg_xlog_location_diff(pg_catalog.pg_current_xlog_insert_location(), '0/0') END, -- @before 10
       s.tup_inserted,
       s.tup_updated,
       s.tup_deleted,
       s.xact_commit,
       EXTRACT(epoch FROM COALESCE(s.stats_reset, LEAST(w.stats_reset, -- @from 14
       EXTRACT(epoch FROM COALESCE(s.stats_reset, LEAST( -- @before 14
                                                        a.stats_reset,
                                                        pg_catalog.pg_postmaster_start_time()))),
       w.wal_bytes, -- @from 14
       EXTRACT(epoch FROM COALESCE(w.stats_reset, pg_catalog.pg_postmaster_start_time())), -- @from 14
       NULL, -- @before 14
       NULL, -- @before 14
       pg_catalog.pg_database_size(s.datid)
FROM pg_catalog.pg_stat_database s
CROSS JOIN pg_catalog.pg_stat_wal w -- @from 14
CROSS JOIN pg_catalog.pg_stat_archiver a
WHERE s.datname = pg_catalog.current_database();
