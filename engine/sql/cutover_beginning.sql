-- Purpose: sessions of this database that are beginning. They have read its settings perhaps, and are in no list of
-- sessions yet; until they are, each holds a lock on the database. Parameters: $1 only these (JSON array of process
-- numbers, empty: all). Columns: their process numbers (JSON array).
SELECT coalesce(pg_catalog.json_agg(DISTINCT l.pid)::text, '[]')
  FROM pg_catalog.pg_locks AS l
 WHERE l.locktype = 'object' AND l.granted AND l.mode = 'RowExclusiveLock'
   AND l.classid = 'pg_catalog.pg_database'::pg_catalog.regclass
   AND l.objid = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
   AND l.pid <> pg_catalog.pg_backend_pid()
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity AS a WHERE a.pid = l.pid AND a.datid IS NOT NULL)
   AND ($1::jsonb = '[]' OR $1::jsonb @> pg_catalog.to_json(l.pid)::jsonb)
