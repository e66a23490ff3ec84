-- Purpose: forgets the applied position of a slot that is gone, while nothing is copied.
-- Parameters: $1 run. Columns: none.
DELETE FROM godwit.lane AS l
 WHERE l.run = $1::bigint
   AND NOT EXISTS (SELECT FROM godwit.relation AS r
                    WHERE r.run = l.run AND r.state IN ('f', 's', 'r'))
