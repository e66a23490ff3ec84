-- Purpose: the large objects of a range that hold a page written since a horizon. Every write leaves one: shortening
-- an object writes its last page. Needs SELECT on pg_largeobject.
-- Parameters: $1 first oid, $2 last oid, $3 horizon (a full transaction id). Columns: oid. Servers from 14 on.
SELECT DISTINCT l.loid
  FROM pg_catalog.pg_largeobject AS l
 WHERE l.loid BETWEEN $1::pg_catalog.oid AND $2::pg_catalog.oid
   AND pg_catalog.age(l.xmin) <= pg_catalog.age($3::text::pg_catalog.xid8::pg_catalog.xid) -- @from 13
   AND pg_catalog.age(l.xmin) <= pg_catalog.age(($3::text::bigint & 4294967295)::text::pg_catalog.xid) -- @before 13
 ORDER BY l.loid
