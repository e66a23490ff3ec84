-- Purpose: what was recorded at a gate. Parameters: $1 run, $2 gate. Columns: detail.
SELECT g.detail FROM godwit.gate AS g WHERE g.run = $1::bigint AND g.gate = $2
