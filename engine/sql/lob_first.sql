-- Purpose: some of the large objects that the run brought. Parameters: $1 run, $2 how many. Columns: oid.
SELECT j.oid FROM godwit.large_object AS j WHERE j.run = $1::bigint ORDER BY j.oid LIMIT $2::bigint
