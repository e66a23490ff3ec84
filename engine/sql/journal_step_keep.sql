-- Purpose: records the state of a step that nothing but this row knows, and waits for the disk.
-- Parameters: $1 run, $2 step, $3 state, $4 detail. Columns: none.
INSERT INTO godwit.step AS s (run, step, state, detail, ended_at)
VALUES ($1::bigint, $2, $3, $4, CASE WHEN $3 <> 'running' THEN pg_catalog.clock_timestamp() END)
ON CONFLICT (run, step) DO UPDATE
   SET state = excluded.state,
       detail = excluded.detail,
       started_at = CASE WHEN excluded.state = 'running' AND s.state <> 'running'
                         THEN excluded.started_at ELSE s.started_at END,
       ended_at = excluded.ended_at
