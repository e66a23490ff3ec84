-- Purpose: a step's state, held until the transaction ends: an older engine's may still be about to commit.
-- Parameters: $1 run, $2 step. Columns: state.
SELECT s.state
  FROM godwit.step AS s
 WHERE s.run = $1::bigint AND s.step = $2
   FOR UPDATE
