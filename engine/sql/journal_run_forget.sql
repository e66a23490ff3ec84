-- Purpose: a run is gone without a trace. Parameters: $1 run. Columns: none.
DELETE FROM godwit.run WHERE id = $1::bigint
