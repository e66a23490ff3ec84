-- Purpose: the conflicts of a run by relation, kind and outcome, with the newest one's key. Parameters: $1 run.
-- Columns: schema, relation, kind, outcome, count, last key, last at.
SELECT c.schema, c.rel, c.kind, c.outcome, sum(c.count)::bigint,
       (pg_catalog.array_agg(c.last_key ORDER BY c.last_lsn DESC, c.last_key COLLATE "C" DESC))[1],
       pg_catalog.to_char(max(c.last_at), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  FROM godwit.conflict AS c
 WHERE c.run = $1::bigint
 GROUP BY c.schema, c.rel, c.kind, c.outcome
 ORDER BY c.schema COLLATE "C", c.rel COLLATE "C", c.kind COLLATE "C", c.outcome COLLATE "C"
