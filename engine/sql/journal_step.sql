-- Purpose: records a step's state. Parameters: $1 run, $2 step, $3 state, $4 detail. Columns: none.
-- Its commit does not wait for the disk: what a step did is observed, this row only remembers.
INSERT INTO godwit.step AS s (run, step, state, detail, ended_at)
SELECT $1::bigint, $2, $3, $4, CASE WHEN $3 <> 'running' THEN pg_catalog.clock_timestamp() END
  FROM pg_catalog.set_config('synchronous_commit', 'off', true)
ON CONFLICT (run, step) DO UPDATE
   SET state = excluded.state,
       detail = excluded.detail,
       started_at = CASE WHEN excluded.state = 'running' THEN excluded.started_at ELSE s.started_at END,
       ended_at = excluded.ended_at
