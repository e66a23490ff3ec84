-- Borders between the ranges in which the rows of a continuous aggregate are carried over, from old to new: where its
-- chunks begin. $1 schema, $2 hypertable of its rows, $3 its last bucket that is carried, $4 the border that was come
-- to before (NULL: none); $5 and $6 the same two where time is a number, and then NULL in $3 and $4.
-- Column: border. Those that no literal could name are left out: the first range is wider.
SELECT COALESCE(pg_catalog.replace(pg_catalog.to_char(k.range_start, 'YYYY-MM-DD HH24:MI:SS.US"+00"'), '.000000', ''),
                k.range_start_integer::pg_catalog.text)
FROM timescaledb_information.chunks k
WHERE k.hypertable_schema = $1 AND k.hypertable_name = $2
  AND (k.range_start <= $3::pg_catalog.text::pg_catalog.timestamptz
       AND pg_catalog.isfinite(k.range_start) AND k.range_start > '0001-01-02+00'
       OR k.range_start_integer <= $5::pg_catalog.text::pg_catalog.int8
       AND k.range_start_integer > -9223372036854775808)
  AND NOT COALESCE(k.range_start <= $4::pg_catalog.text::pg_catalog.timestamptz, false)
  AND NOT COALESCE(k.range_start_integer <= $6::pg_catalog.text::pg_catalog.int8, false)
GROUP BY k.range_start, k.range_start_integer
ORDER BY k.range_start, k.range_start_integer
