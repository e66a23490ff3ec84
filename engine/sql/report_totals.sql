-- Purpose: what a run has done so far. Parameters: $1 run. Columns: leaves, leaves copied, rows, bytes, transactions,
-- changes, applied position, relations verified, differences, downtime in ms, state, started, ended, newest sample,
-- age of the sample in seconds, conflicts passed over, when the sample was written, when the target became the primary.
SELECT l.leaves, l.copied, l.rows, l.bytes,
       coalesce(n.transactions, 0), coalesce(n.changes, 0), n.applied,
       v.relations, v.differences, r.downtime_ms, r.state,
       pg_catalog.to_char(r.started_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       pg_catalog.to_char(r.ended_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       m.sample, pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - m.at), x.conflicts,
       pg_catalog.to_char(m.at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), pg_catalog.to_char(r.switched_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  FROM godwit.run AS r
 CROSS JOIN LATERAL (
        SELECT count(*) AS leaves, count(*) FILTER (WHERE p.state IN ('f', 's', 'r')) AS copied,
               coalesce(sum(p.rows), 0)::bigint AS rows, coalesce(sum(p.bytes), 0)::bigint AS bytes
          FROM godwit.relation AS p WHERE p.run = r.id) AS l
  LEFT JOIN LATERAL (
        SELECT sum(a.transactions)::bigint AS transactions, sum(a.changes)::bigint AS changes, min(a.applied) AS applied
          FROM godwit.lane AS a WHERE a.run = r.id) AS n ON true
 CROSS JOIN LATERAL (
        SELECT count(DISTINCT (c.schema, c.rel)) AS relations, coalesce(sum(c.differences), 0)::bigint AS differences
          FROM godwit.verification AS c WHERE c.run = r.id) AS v
 CROSS JOIN LATERAL (
        SELECT coalesce(sum(o.count), 0)::bigint AS conflicts FROM godwit.conflict AS o WHERE o.run = r.id) AS x
  LEFT JOIN godwit.metric AS m ON m.run = r.id
 WHERE r.id = $1::bigint
