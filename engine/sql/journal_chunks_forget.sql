-- Purpose: forgets which chunks of hypertables are copied: these are copied anew. Parameters: $1 run, $2 oids of the
-- hypertables. Columns: none.
DELETE FROM godwit.chunk AS c
 WHERE c.run = $1::bigint AND c.hypertable = ANY ($2::oid[])
