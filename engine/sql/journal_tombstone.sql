-- Purpose: what became of a run whose journal is gone. Parameters: $1 name. Columns: fingerprint, outcome, ended.
SELECT t.fingerprint, t.outcome, pg_catalog.to_char(t.ended_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  FROM godwit.tombstone AS t
 WHERE t.name = $1
 ORDER BY t.ended_at DESC
 LIMIT 1
