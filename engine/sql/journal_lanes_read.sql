-- Purpose: all lanes of a run. Parameters: $1 run. Columns: lane, applied, commit time (microseconds since 1970),
-- epoch, transactions, changes, the rules by which changes are routed (of lane 0).
SELECT l.id, l.applied, (pg_catalog.date_part('epoch', l.commit_time) * 1000000)::bigint, l.epoch, l.transactions,
       l.changes, l.routing
  FROM godwit.lane AS l
 WHERE l.run = $1::bigint
 ORDER BY l.id
