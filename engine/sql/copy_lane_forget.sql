-- Purpose: forgets the applied position of a slot that is gone, and the timeline of its source, while nothing is copied.
-- Parameters: $1 run. Columns: none.
WITH bare AS (
    SELECT n.id
      FROM godwit.run AS n
     WHERE n.id = $1::bigint
       AND NOT EXISTS (SELECT FROM godwit.relation AS r
                        WHERE r.run = n.id AND r.state IN ('f', 's', 'r'))
), forgotten AS (
    UPDATE godwit.run AS n SET timeline = NULL FROM bare AS b WHERE n.id = b.id
)
DELETE FROM godwit.lane AS l USING bare AS b WHERE l.run = b.id
