-- Purpose: how long ago the target became the primary. Parameters: $1 run. Columns: milliseconds.
SELECT (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - r.switched_at) * 1000)::bigint
  FROM godwit.run AS r WHERE r.id = $1::bigint
