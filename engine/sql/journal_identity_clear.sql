-- Purpose: forgets a replica identity that was taken back. Parameters: $1 run, $2 schema, $3 table. Columns: none.
DELETE FROM godwit.identity WHERE run = $1::bigint AND schema = $2 AND rel = $3
