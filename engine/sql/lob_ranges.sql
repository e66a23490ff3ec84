-- Purpose: the first of every $1 large objects, in order of oid. Parameters: $1 objects of a range. Columns: oid.
SELECT o.oid
  FROM (SELECT m.oid, pg_catalog.row_number() OVER (ORDER BY m.oid) - 1 AS place
          FROM pg_catalog.pg_largeobject_metadata AS m) AS o
 WHERE o.place % $1::bigint = 0
 ORDER BY o.oid
