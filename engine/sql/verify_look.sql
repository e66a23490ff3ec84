-- A look begins: what is committed from here on counts as touched by it or later. Behind verify_lock_lanes.sql, in its
-- transaction. Parameters: $1 run. Columns: the look's number, a row for each lane.
UPDATE godwit.lane AS l
   SET look = n.look + 1
  FROM (SELECT max(a.look) AS look FROM godwit.lane AS a WHERE a.run = $1::bigint) AS n
 WHERE l.run = $1::bigint
RETURNING l.look
