-- Purpose: records a fence before it is put up; what was there before stays if one was recorded already.
-- Parameters: $1 run, $2 side, $3 method, $4 previous setting or NULL. Columns: none.
INSERT INTO godwit.fence (run, side, method, previous) VALUES ($1::bigint, $2, $3, $4)
ON CONFLICT (run, side) DO NOTHING
