-- Purpose: every leaf the run knows. Parameters: $1 run. Columns: schema, rel, state, wave, sync_lsn, rows, bytes,
-- published.
SELECT l.schema, l.rel, l.state, l.wave, l.sync_lsn, l.rows, l.bytes, pg_catalog.to_jsonb(l) ->> 'published' -- a journal that an older engine made has no such column
  FROM godwit.relation AS l
 WHERE l.run = $1::bigint
 ORDER BY l.schema, l.rel
