-- Purpose: the run of a plan name. Parameters: $1 name. Columns: as JournalRun.
SELECT r.id, r.name, r.fingerprint, r.canonical, r.mark, r.state, r.source_system, r.target_system,
       r.epoch, r.runner, pg_catalog.to_char(r.started_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       pg_catalog.to_char(r.ended_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), r.downtime_ms,
       pg_catalog.to_jsonb(r) ->> 'pinned' -- a journal that an older engine made has no such column
  FROM godwit.run AS r
 WHERE r.name = $1
