-- A verification of a command is over: the next one begins from nothing. Parameters: $1 run, $2 id. Columns: none.
DELETE FROM godwit.looked WHERE run = $1::bigint AND id = $2
