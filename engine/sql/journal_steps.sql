-- Purpose: every recorded step. Parameters: $1 run. Columns: step, state, detail, started, seconds.
SELECT s.step, s.state, s.detail, pg_catalog.to_char(s.started_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       pg_catalog.date_part('epoch', coalesce(s.ended_at, pg_catalog.clock_timestamp()) - s.started_at)
  FROM godwit.step AS s
 WHERE s.run = $1::bigint
 ORDER BY s.started_at, s.step
