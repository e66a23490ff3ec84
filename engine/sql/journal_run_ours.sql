-- Purpose: whether nobody took the run since; nobody does before this transaction ends.
-- Parameters: $1 run, $2 the epoch that is ours. Columns: none; no row: it was taken.
SELECT FROM godwit.run AS r WHERE r.id = $1::bigint AND r.epoch = $2::bigint FOR NO KEY UPDATE
