-- Purpose: the jobs of the source that the run has paused. Parameters: $1 run. Columns: job's id.
SELECT s.job
  FROM godwit.source_job AS s
 WHERE s.run = $1::bigint
 ORDER BY s.job
