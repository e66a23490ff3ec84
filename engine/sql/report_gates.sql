-- Purpose: gates reached and the newest approval. Parameters: $1 run. Columns: what, when, detail.
SELECT 'gate ' || g.gate, pg_catalog.to_char(g.reached_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), g.detail
  FROM godwit.gate AS g
 WHERE g.run = $1::bigint
UNION ALL
SELECT 'approval by ' || a.approver, pg_catalog.to_char(a.approved_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       'until ' || pg_catalog.to_char(a.expires_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  FROM godwit.approval AS a
 WHERE a.run = $1::bigint
UNION ALL
SELECT 'fence on the ' || f.side, pg_catalog.to_char(f.fenced_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), f.method
  FROM godwit.fence AS f
 WHERE f.run = $1::bigint
 ORDER BY 2, 1
