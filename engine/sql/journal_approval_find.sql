-- Purpose: the newest approval that counts. Parameters: $1 run, $2 fingerprint, $3 allowed approvers (JSON array
-- of role names, empty: anyone), $4 whether the runner may not approve. Columns: approver, approved, expires.
SELECT a.approver, pg_catalog.to_char(a.approved_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       pg_catalog.to_char(a.expires_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  FROM godwit.approval AS a
  JOIN godwit.run AS r ON r.id = a.run
 WHERE a.run = $1::bigint
   AND a.fingerprint = $2
   AND a.expires_at > pg_catalog.clock_timestamp()
   AND ($3::jsonb = '[]' OR $3::jsonb ? a.approver)
   AND NOT ($4::boolean AND a.approver = r.runner)
 ORDER BY a.id DESC
 LIMIT 1
