-- Purpose: a new engine takes the run: raises the run's epoch and its lanes', so that a group still in flight
-- from an older engine cannot commit. Parameters: $1 run. Columns: epoch.
WITH taken AS (
    UPDATE godwit.run SET epoch = epoch + 1 WHERE id = $1::bigint RETURNING id, epoch
), lanes AS (
    UPDATE godwit.lane AS l SET epoch = t.epoch FROM taken AS t WHERE l.run = t.id
)
SELECT epoch FROM taken
