-- Purpose: the source's timeline from here on. Its commit waits for the disk: what follows may be kept elsewhere.
-- Parameters: $1 run, $2 timeline. Columns: none.
UPDATE godwit.run AS r
   SET timeline = $2::bigint
  FROM pg_catalog.set_config('synchronous_commit', 'local', true)
 WHERE r.id = $1::bigint
