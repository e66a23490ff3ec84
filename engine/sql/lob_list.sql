-- Purpose: the large objects of a range, and whether owner or privileges may have changed, or the object was made
-- anew, since a horizon: the oldest transaction that was running when it was looked at.
-- Parameters: $1 first oid, $2 last oid, $3 horizon (a full transaction id; NULL: none).
-- Columns: oid, may have changed. Servers from 14 on.
SELECT m.oid,
       COALESCE(pg_catalog.age(m.xmin) <= pg_catalog.age($3::text::pg_catalog.xid8::pg_catalog.xid), true) -- @from 13
       COALESCE(pg_catalog.age(m.xmin) <= pg_catalog.age(($3::text::bigint & 4294967295)::text::pg_catalog.xid), true) -- @before 13
  FROM pg_catalog.pg_largeobject_metadata AS m
 WHERE m.oid BETWEEN $1::pg_catalog.oid AND $2::pg_catalog.oid
 ORDER BY m.oid
