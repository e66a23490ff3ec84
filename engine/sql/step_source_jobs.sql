-- Purpose: jobs of TimescaleDB as they are now. A worker holds the lock of the job that it runs, under a key that
-- is TimescaleDB's own (29749). Parameters: $1 array of their ids. Columns: id, scheduled, running, time zone.
-- Ordered by id.
SELECT j.job_id,
       j.scheduled,
       EXISTS (SELECT
                 FROM pg_catalog.pg_locks AS l
                 JOIN pg_catalog.pg_database AS d ON d.oid = l.database
                WHERE d.datname = pg_catalog.current_database()
                  AND l.locktype = 'advisory'
                  AND l.classid = j.job_id::pg_catalog.oid
                  AND l.objid = 0
                  AND l.objsubid = 29749
                  AND l.pid <> pg_catalog.pg_backend_pid()),
       pg_catalog.to_jsonb(b) ->> 'timezone'
  FROM timescaledb_information.jobs AS j
  JOIN _timescaledb_config.bgw_job AS b ON b.id = j.job_id
 WHERE j.job_id = ANY ($1::bigint[])
 ORDER BY j.job_id
