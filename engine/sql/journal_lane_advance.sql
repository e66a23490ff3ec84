-- Purpose: compare and set of the applied position; no row means that another engine took over.
-- Parameters: $1 run, $2 lane, $3 old position, $4 epoch, $5 new position, $6 source commit time (NULL keeps),
-- $7 transactions and $8 changes to add. Columns: the newest look of a verification.
UPDATE godwit.lane
   SET applied = $5::pg_lsn,
       commit_time = coalesce($6::timestamptz, commit_time),
       transactions = transactions + $7::bigint,
       changes = changes + $8::bigint,
       updated_at = pg_catalog.clock_timestamp()
 WHERE run = $1::bigint AND id = $2::integer AND applied = $3::pg_lsn AND epoch = $4::bigint
RETURNING look
