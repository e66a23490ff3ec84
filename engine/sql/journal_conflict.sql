-- Purpose: adds to what is counted of one kind of conflict with one outcome; inside the transaction that applied the
-- changes. Each lane counts in rows of its own, so that none waits for another. Parameters: $1 run, $2 lane, $3 schema,
-- $4 relation, $5 kind, $6 outcome, $7 how many, $8 the last one's key, $9 its position. Columns: none.
INSERT INTO godwit.conflict AS c (run, lane, schema, rel, kind, outcome, count, last_key, last_lsn)
VALUES ($1::bigint, $2::integer, $3::text, $4::text, $5::text, $6::text, $7::bigint, $8::text, $9::pg_lsn)
ON CONFLICT (run, lane, schema, rel, kind, outcome) DO UPDATE
   SET count = c.count + excluded.count, last_key = excluded.last_key, last_lsn = excluded.last_lsn,
       last_at = pg_catalog.clock_timestamp()
