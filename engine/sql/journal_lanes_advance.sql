-- Purpose: compare and set of the applied positions of several lanes at once, all to one position. Fewer rows than
-- lanes mean that another engine took over. Parameters: $1 run, $2 lanes and $3 their old positions (arrays), $4 epoch,
-- $5 new position, $6 source commit time (NULL keeps), $7 transactions and $8 changes to add to the first.
-- Columns: the newest look of a verification.
UPDATE godwit.lane AS l
   SET applied = greatest(l.applied, $5::pg_lsn),
       commit_time = coalesce($6::timestamptz, l.commit_time),
       transactions = l.transactions + CASE WHEN l.id = 0 THEN $7::bigint ELSE 0 END,
       changes = l.changes + CASE WHEN l.id = 0 THEN $8::bigint ELSE 0 END,
       updated_at = pg_catalog.clock_timestamp()
  FROM ROWS FROM (pg_catalog.unnest($2::integer[]), pg_catalog.unnest($3::pg_lsn[])) AS o(id, applied)
 WHERE l.run = $1::bigint AND l.id = o.id AND l.applied = o.applied AND l.epoch = $4::bigint
RETURNING l.look
