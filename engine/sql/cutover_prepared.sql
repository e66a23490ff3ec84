-- Purpose: prepared transactions of this database: they could commit behind the fence. Parameters: none.
-- Columns: gid, owner, prepared.
SELECT p.gid, p.owner, pg_catalog.to_char(p.prepared, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
  FROM pg_catalog.pg_prepared_xacts AS p
 WHERE p.database = pg_catalog.current_database()
 ORDER BY p.prepared, p.gid
