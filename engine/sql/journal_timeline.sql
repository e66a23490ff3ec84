-- Purpose: up to where the run has what the source wrote, and on which timeline it wrote that.
-- Parameters: $1 run. Columns: timeline (NULL: not known), the highest position that is applied or copied.
SELECT (pg_catalog.to_jsonb(r) ->> 'timeline')::bigint, -- a journal that an older engine made has no such column
       greatest((SELECT max(l.applied) FROM godwit.lane AS l WHERE l.run = r.id),
                (SELECT max(c.sync_lsn) FROM godwit.relation AS c WHERE c.run = r.id))
  FROM godwit.run AS r
 WHERE r.id = $1::bigint
