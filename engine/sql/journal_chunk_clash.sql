-- Purpose: a chunk that was copied and is not there any more, whose range of time is another one's.
-- Parameters: $1 run, $2 JSON as copy_chunk_facts.sql gives it, of the other one, $3 oids of the chunks that are there.
-- Columns: schema, name. One row at most.
SELECT c.schema, c.rel
  FROM godwit.chunk AS c
  JOIN pg_catalog.jsonb_to_recordset($2::jsonb) AS j (hypertable oid, begins bigint, ends bigint)
       ON c.hypertable = j.hypertable AND c.begins < j.ends AND c.ends > j.begins
 WHERE c.run = $1::bigint AND NOT c.oid = ANY ($3::oid[])
 ORDER BY c.oid
 LIMIT 1
