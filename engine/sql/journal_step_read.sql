-- Purpose: what is recorded of one step. Parameters: $1 run, $2 step. Columns: state, detail.
SELECT s.state, s.detail
  FROM godwit.step AS s
 WHERE s.run = $1::bigint AND s.step = $2
