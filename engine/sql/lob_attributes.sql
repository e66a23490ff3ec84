-- Purpose: what belongs to large objects beside their bytes, and the horizon of this snapshot: no transaction before
-- it is running any more. Parameters: $1 array of oids.
-- Columns: oid, owner, privileges as text, comment, size, horizon. Servers from 14 on.
SELECT m.oid, pg_catalog.pg_get_userbyid(m.lomowner), m.lomacl::text,
       pg_catalog.obj_description(m.oid, 'pg_largeobject'), s.size,
       pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text -- @from 13
       pg_catalog.txid_snapshot_xmin(pg_catalog.txid_current_snapshot())::text -- @before 13
  FROM pg_catalog.pg_largeobject_metadata AS m,
       LATERAL (SELECT pg_catalog.lo_open(m.oid, 262144) AS fd OFFSET 0) AS f,
       LATERAL (SELECT pg_catalog.lo_lseek64(f.fd, 0, 2) AS size, pg_catalog.lo_close(f.fd) AS closed OFFSET 0) AS s
 WHERE m.oid = ANY ($1::pg_catalog.oid[])
 ORDER BY m.oid
