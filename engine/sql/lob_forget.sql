-- Purpose: the run has brought these large objects no more. Parameters: $1 run, $2 array of oids. Columns: none.
DELETE FROM godwit.large_object AS j WHERE j.run = $1::bigint AND j.oid = ANY ($2::pg_catalog.oid[])
