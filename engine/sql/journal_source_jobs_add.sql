-- Purpose: records the jobs of the source that will be paused. Parameters: $1 run, $2 array of their ids. Columns:
-- none.
INSERT INTO godwit.source_job (run, job)
SELECT $1::bigint, u.job
  FROM pg_catalog.unnest($2::bigint[]) AS u (job)
ON CONFLICT (run, job) DO NOTHING
