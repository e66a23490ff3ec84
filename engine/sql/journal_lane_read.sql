-- Purpose: a lane's row. Parameters: $1 run, $2 lane. Columns: applied, commit time (microseconds since 1970),
-- epoch, transactions, changes.
SELECT l.applied, (pg_catalog.date_part('epoch', l.commit_time) * 1000000)::bigint, l.epoch, l.transactions, l.changes
  FROM godwit.lane AS l
 WHERE l.run = $1::bigint AND l.id = $2::integer
