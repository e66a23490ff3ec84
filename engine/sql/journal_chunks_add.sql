-- Purpose: writes down the chunks that a wave copies. Parameters: $1 run, $2 oids of their hypertables, $3 their oids,
-- $4 the wave's position. Columns: none.
INSERT INTO godwit.chunk (run, hypertable, oid, sync_lsn)
SELECT $1::bigint, u.hypertable, u.oid, $4::pg_lsn
  FROM ROWS FROM (pg_catalog.unnest($2::oid[]), pg_catalog.unnest($3::oid[])) AS u (hypertable, oid)
