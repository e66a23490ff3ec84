-- Purpose: forgets a job of the source that runs again. Parameters: $1 run, $2 its id. Columns: none.
DELETE FROM godwit.source_job WHERE run = $1::bigint AND job = $2::bigint
